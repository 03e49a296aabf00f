/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: the text of a record. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record.h"

enum type { DECIMAL, HEX, WORD, STRING };

static const struct {
	const char *key;
	enum type type;
} fields[RECORD_FIELDS] = {
	[F_ID] = { "id", DECIMAL },
	[F_TID] = { "tid", DECIMAL },
	[F_OP] = { "op", WORD },
	[F_KIND] = { "kind", WORD },
	[F_SYSREG] = { "sysreg", WORD },
	[F_ORDER] = { "mem-order", WORD },
	[F_LOCATION] = { "location", HEX },
	[F_ADDRESS] = { "address", HEX },
	[F_ROOT] = { "root", HEX },
	[F_IPA] = { "ipa", HEX },
	[F_SIZE] = { "size", HEX },
	[F_OLD] = { "old", HEX },
	[F_VALUE] = { "value", HEX },
	[F_TO] = { "to", DECIMAL },
	[F_EL] = { "el", DECIMAL },
	[F_NO_CLEAN] = { "no-clean", DECIMAL },
	[F_FEATURES] = { "features", STRING },
	[F_AGENT_LACKS] = { "agent-lacks", STRING },
	[F_GRANULE] = { "granule", HEX },
	[F_PES] = { "pes", DECIMAL },
	[F_COUNTED] = { "counted", HEX },
	[F_SRC] = { "src", STRING },
};

#define END RECORD_FIELDS
#define MOST 8

/* The fields between tid and src, in order. Those after END may be left out. */
static const struct {
	const char *name;
	uint8_t field[MOST];
} forms[RECORD_KINDS] = {
	[R_SYSREG_WRITE] = { "sysreg-write", { F_SYSREG, F_VALUE, END, END } },
	[R_MEM_INIT] = { "mem-init", { F_ADDRESS, F_SIZE, END, END } },
	[R_MEM_WRITE] = { "mem-write",
			  { F_ORDER, F_ADDRESS, F_VALUE, END, F_NO_CLEAN, END } },
	[R_MEM_READ] = { "mem-read", { F_ADDRESS, F_VALUE, END, END } },
	[R_MEM_SET] = { "mem-set", { F_ADDRESS, F_SIZE, F_VALUE, END, END } },
	[R_MEM_FREE] = { "mem-free", { F_ADDRESS, F_SIZE, END, END } },
	[R_BARRIER] = { "barrier", { F_OP, END, F_KIND, END } },
	[R_TLBI] = { "tlbi", { F_OP, END, F_VALUE, END } },
	[R_HINT] = { "hint", { F_KIND, F_LOCATION, F_VALUE, END, END } },
	[R_LOCK] = { "lock", { F_ADDRESS, END, END } },
	[R_UNLOCK] = { "unlock", { F_ADDRESS, END, END } },
	[R_TRYLOCK] = { "trylock", { F_ADDRESS, END, END } },
	[R_ENTER_CONTEXT] = { "enter-context", { END, F_EL, END } },
	[R_EXIT_CONTEXT] = { "exit-context", { END, F_EL, END } },
	[R_MACHINE] = { "machine",
			{ F_FEATURES, F_GRANULE, F_PES, F_COUNTED, END, F_AGENT_LACKS,
			  END } },
	[R_MEM_TAKE] = { "mem-take", { F_ADDRESS, F_SIZE, END, END } },
	[R_MEM_XCHG] = { "mem-xchg", { F_ADDRESS, F_VALUE, END, F_NO_CLEAN, END } },
	[R_CAS] = { "cas", { F_ADDRESS, F_OLD, F_VALUE, END, F_NO_CLEAN, END } },
	[R_DC_CIVAC] = { "dc-civac", { F_ADDRESS, F_SIZE, END, END } },
	[R_DC_CVAC] = { "dc-cvac", { F_ADDRESS, F_SIZE, END, END } },
	[R_IC_IVAU] = { "ic-ivau", { F_ADDRESS, F_SIZE, END, END } },
	[R_AGENT_TLBI] = { "agent-tlbi", { F_IPA, F_SIZE, END, END } },
	[R_HANDOFF] = { "handoff", { F_TO, END, END } },
	[R_WALKER_ENTER] = { "walker-enter", { END, END } },
	[R_WALKER_LEAVE] = { "walker-leave", { END, END } },
	[R_GUEST_ENTER] = { "guest-enter", { F_VALUE, END, END } },
	[R_GUEST_LEAVE] = { "guest-leave", { END, END } },
	[R_GUESTS_GONE] = { "guests-gone", { F_ROOT, END, END } },
	[R_GUEST_WRITE] = { "guest-write", { F_ROOT, F_IPA, END, END } },
	[R_GUEST_WRITES] = { "guest-writes",
			     { F_ROOT, F_IPA, F_SIZE, F_VALUE, END, END } },
	[R_HOST_WROTE] = { "host-wrote", { F_ADDRESS, F_SIZE, END, END } },
	[R_CLAIM_UNMAPPED] = { "claim-unmapped",
			       { F_ROOT, F_IPA, F_SIZE, END, F_NO_CLEAN, END } },
	[R_CLAIM_WRPROTECTED] = { "claim-wrprotected",
				  { F_ROOT, F_IPA, F_SIZE, END, END } },
	[R_CLAIM_HARVESTED] = { "claim-harvested", { F_ROOT, F_IPA, F_SIZE, END, END } },
	[R_CLAIM_FRAME_FREE] = { "claim-frame-free", { F_ADDRESS, F_SIZE, END, END } },
	[R_DIRTY_FOUND] = { "dirty-found", { F_ROOT, F_IPA, F_SIZE, END, END } },
	[R_LEAF_GONE] = { "leaf-gone",
			  { F_ROOT, F_IPA, F_ADDRESS, F_SIZE, END, F_NO_CLEAN, END } },
};

struct text {
	const char *p, *end;
	struct record_error *err;
};

const char *record_name(enum record_kind kind)
{
	return forms[kind].name;
}

bool record_wrong(struct record_error *err, const char *at, const char *fmt, ...)
{
	va_list ap;

	err->at = at;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	va_end(ap);
	return false;
}

static void blanks(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n'))
		t->p++;
}

static bool is_word(char c)
{
	return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '"';
}

/* A word at t->p: its length, or 0 after an error. */
static size_t word(struct text *t, const char **at)
{
	*at = t->p;
	while (t->p < t->end && is_word(*t->p))
		t->p++;
	if (t->p == *at)
		record_wrong(t->err, t->p,
			     t->p == t->end ? "the record ends here, without its ')'" :
					      "a word or a number expected");
	return (size_t)(t->p - *at);
}

static bool copy(struct text *t, const char *at, size_t n, char *out, size_t room)
{
	if (n >= room)
		return record_wrong(t->err, at, "longer than %zu characters", room - 1);
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}

static bool number(struct text *t, const char *at, size_t n, bool hex, uint64_t *out)
{
	const char *p = at, *end = at + n;
	uint64_t v = 0;

	if (hex && n > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	for (; p < end; p++) {
		unsigned d = *p >= '0' && *p <= '9'	   ? (unsigned)(*p - '0') :
			     hex && *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10 :
			     hex && *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A') + 10 :
							     16;

		if (d == 16)
			return record_wrong(t->err, p, "not a digit of a %s number",
					    hex ? "hexadecimal" : "decimal");
		if (__builtin_mul_overflow(v, hex ? 16 : 10, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return record_wrong(t->err, at,
					    "the number does not fit 64 bits");
	}
	*out = v;
	return true;
}

static bool string(struct text *t, char *out)
{
	const char *at = ++t->p;

	while (t->p < t->end && *t->p != '"' && (unsigned char)*t->p >= ' ')
		t->p++;
	if (t->p == t->end || *t->p == '\n')
		return record_wrong(t->err, at - 1, "the string is not closed");
	if (*t->p != '"')
		return record_wrong(t->err, t->p, "a control character in a string");
	return copy(t, at, (size_t)(t->p++ - at), out, RECORD_SRC);
}

/* The value of field f, at t->p. */
static bool value(struct text *t, struct record *r, unsigned f)
{
	enum type type = fields[f].type;
	const char *at;
	size_t n;

	r->at[f] = t->p;
	r->has |= UINT32_C(1) << f;
	if (type == STRING) {
		if (t->p == t->end || *t->p != '"')
			return record_wrong(t->err, t->p,
					    "%s is a string in double quotes",
					    fields[f].key);
		return string(t, f == F_SRC	 ? r->src :
				 f == F_FEATURES ? r->features :
						   r->lacks);
	}
	n = word(t, &at);
	if (!n)
		return false;
	if (type == WORD)
		return copy(t, at, n, f == F_OP ? r->op : r->word, RECORD_WORD);
	return number(t, at, n, type == HEX, &r->n[f]);
}

/* Whether records of this kind have field f. */
static bool belongs(enum record_kind kind, unsigned f)
{
	unsigned ends = 0;

	if (f == F_ID || f == F_TID || f == F_SRC)
		return true;
	for (unsigned i = 0; i < MOST && ends < 2; i++) {
		if (forms[kind].field[i] == f)
			return true;
		ends += forms[kind].field[i] == END;
	}
	return false;
}

/* "(KEY VALUE)" after its parenthesis. */
static bool keyed(struct text *t, struct record *r)
{
	const char *at;
	unsigned f = 0;
	size_t n;

	blanks(t);
	n = word(t, &at);
	if (!n)
		return false;
	while (f < RECORD_FIELDS &&
	       (strlen(fields[f].key) != n || memcmp(fields[f].key, at, n)))
		f++;
	if (f == RECORD_FIELDS || f == F_OP || !belongs(r->kind, f))
		return record_wrong(t->err, at, "%s has no field '%.*s'",
				    forms[r->kind].name, n < 40 ? (int)n : 40, at);
	if (r->has & UINT32_C(1) << f)
		return record_wrong(t->err, at, "the field %s is there twice",
				    fields[f].key);
	blanks(t);
	if (!value(t, r, f))
		return false;
	blanks(t);
	if (t->p == t->end || *t->p != ')')
		return record_wrong(t->err, t->p, "')' expected after the value of %s",
				    fields[f].key);
	t->p++;
	return true;
}

/* The first field in order that is not there yet. */
static unsigned next_field(const struct record *r)
{
	unsigned ends = 0;

	for (unsigned f = F_ID; f <= F_TID; f++) {
		if (!(r->has & UINT32_C(1) << f))
			return f;
	}
	for (unsigned i = 0; i < MOST && ends < 2; i++) {
		unsigned f = forms[r->kind].field[i];

		if (f == END)
			ends++;
		else if (!(r->has & UINT32_C(1) << f))
			return f;
	}
	return F_SRC;
}

/* A bare value. A string is the source: fields that may be left out come before it. */
static bool bare(struct text *t, struct record *r)
{
	unsigned f = *t->p == '"' && r->kind != R_MACHINE ? F_SRC : next_field(r);

	if (r->has & UINT32_C(1) << f)
		return record_wrong(t->err, t->p, "one value more than %s has",
				    forms[r->kind].name);
	return value(t, r, f);
}

static bool complete(struct text *t, const struct record *r)
{
	static const uint8_t common[] = { F_ID, F_TID, F_SRC, END };
	const uint8_t *lists[] = { common, forms[r->kind].field };

	for (unsigned l = 0; l < 2; l++) {
		for (const uint8_t *f = lists[l]; *f != END; f++) {
			if (!(r->has & UINT32_C(1) << *f))
				return record_wrong(t->err, t->p,
						    "the field %s is missing",
						    fields[*f].key);
		}
	}
	if (!strchr(r->src, ':'))
		return record_wrong(t->err, r->at[F_SRC],
				    "src is FILE:LINE; there is no colon in it");
	return true;
}

bool record_parse(const char *text, size_t len, struct record *r,
		  struct record_error *err)
{
	struct text t = { text, text + len, err };
	const char *at;
	size_t n;

	/* Not all of it: the texts are long, and there are millions of records. */
	memset(r, 0, offsetof(struct record, op));
	r->op[0] = r->word[0] = r->features[0] = r->lacks[0] = r->src[0] = '\0';
	blanks(&t);
	if (t.p == t.end || *t.p != '(')
		return record_wrong(err, t.p, "'(' expected");
	t.p++;
	blanks(&t);
	n = word(&t, &at);
	if (!n)
		return false;
	while (r->kind < RECORD_KINDS &&
	       (strlen(forms[r->kind].name) != n || memcmp(forms[r->kind].name, at, n)))
		r->kind++;
	if (r->kind == RECORD_KINDS)
		return record_wrong(err, at, "there is no record '%.*s'",
				    n < 40 ? (int)n : 40, at);
	for (;;) {
		blanks(&t);
		if (t.p == t.end)
			return record_wrong(err, t.p,
					    "the record ends here, without its ')'");
		if (*t.p == ')')
			break;
		if (*t.p == '(') {
			t.p++;
			if (!keyed(&t, r))
				return false;
		} else if (!bare(&t, r)) {
			return false;
		}
	}
	if (!complete(&t, r))
		return false;
	t.p++;
	blanks(&t);
	if (t.p != t.end)
		return record_wrong(err, t.p, "something stands behind the record");
	return true;
}
