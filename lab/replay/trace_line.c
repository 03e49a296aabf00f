/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One line of a recording: errors, numbers, and the fields of its event. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <stage2/stage2.h>
#include "trace_line.h"

static const char *const field_names[FIELDS] = {
	"pgt", "addr", "size", "phys", "prot", "mkold", "ia_bits", "ret",
};

/* ---- errors ---------------------------------------------------------------- */

static void print_error(const struct trace *t, uint32_t line, unsigned column,
			const char *fmt, va_list ap)
{
	fflush(stdout);
	if (line)
		fprintf(stderr, "%s:%u:%u: ", t->name, line, column);
	else
		fprintf(stderr, "%s: ", t->name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void trace_error(const struct trace *t, uint32_t line, unsigned column, const char *fmt,
		 ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_error(t, line, column, fmt, ap);
	va_end(ap);
}

unsigned trace_column(const struct trace_line *l, const char *at)
{
	return (unsigned)(at - l->line) + 1;
}

bool trace_fail(struct trace_line *l, const char *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_error(l->t, l->t->lines, trace_column(l, at), fmt, ap);
	va_end(ap);
	l->failed = true;
	return false;
}

/* ---- numbers --------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool trace_digits(const char **p, uint64_t *out)
{
	uint64_t n = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **p - '0', &n))
			return false;
	*out = n;
	return true;
}

/* ---- fields ---------------------------------------------------------------- */

/* A number that ends at @end: decimal or 0x, optionally with a minus sign. */
static bool parse_number(struct trace_line *l, const char *p, const char *end,
			 uint64_t *out)
{
	const char *at = p;
	bool minus = *p == '-', hex;
	uint64_t n = 0;

	p += minus;
	hex = p[0] == '0' && p[1] == 'x';
	if (hex)
		p += 2;
	if (p == end)
		return trace_fail(l, at, "a number is missing here");
	for (; p < end; p++) {
		unsigned d;

		if (is_digit(*p))
			d = (unsigned)(*p - '0');
		else if (hex && *p >= 'a' && *p <= 'f')
			d = (unsigned)(*p - 'a') + 10;
		else if (hex && *p >= 'A' && *p <= 'F')
			d = (unsigned)(*p - 'A') + 10;
		else
			return trace_fail(l, p, "not a digit of a%s number",
					  hex ? " hexadecimal" : " decimal");
		if (__builtin_mul_overflow(n, hex ? 16 : 10, &n) ||
		    __builtin_add_overflow(n, d, &n))
			return trace_fail(l, at, "the number does not fit 64 bits");
	}
	*out = minus ? -n : n;
	return true;
}

/* "(where) NAME=VALUE ..."; unknown names are ignored. */
bool trace_fields(struct trace_line *l, unsigned needed, struct fields *f)
{
	const char *p = l->p;
	unsigned i;

	memset(f, 0, sizeof(*f));
	if (*p == '(') {
		p = strchr(p, ')');
		if (!p)
			return trace_fail(l, l->p, "the parenthesis is not closed");
		p++;
	}
	for (;;) {
		const char *name, *eq, *end;

		while (*p == ' ')
			p++;
		if (!*p)
			break;
		name = p;
		end = p + strcspn(p, " ");
		eq = memchr(p, '=', (size_t)(end - p));
		if (!eq || eq == name)
			return trace_fail(l, name, "NAME=VALUE expected");
		for (i = 0; i < FIELDS; i++)
			if (strlen(field_names[i]) == (size_t)(eq - name) &&
			    !memcmp(field_names[i], name, (size_t)(eq - name)))
				break;
		if (i < FIELDS) {
			if (f->at[i])
				return trace_fail(l, name, "the field %s is there twice",
						  field_names[i]);
			f->at[i] = eq + 1;
			if (!parse_number(l, eq + 1, end, &f->value[i]))
				return false;
		}
		p = end;
	}
	for (i = 0; i < FIELDS; i++)
		if (needed & 1u << i && !f->at[i])
			return trace_fail(l, p, "the field %s is missing",
					  field_names[i]);
	return true;
}

/* The bits of enum kvm_pgtable_prot, before Linux 6.19 and since. */
static const struct prot_bits {
	uint64_t x, w, r, device, nc;
} before = { 1, 2, 4, 8, 16 }, since = { 3, 4, 8, 16, 32 };

#define PROT_SW (UINT64_C(0xf) << 55)

bool trace_prot(struct trace_line *l, const struct fields *f, bool relax, bool px_ux,
		uint16_t *attr)
{
	const struct prot_bits *b = px_ux ? &since : &before;
	const uint64_t prot = f->value[F_PROT], perms = b->x | b->w | b->r;
	const char *hint = px_ux ? "" : "; or is this Linux 6.19 or newer (--kernel)?";
	const char *at = f->at[F_PROT];
	uint32_t a = 0;

	if (prot & ~(perms | b->device | b->nc | PROT_SW))
		return trace_fail(l, at, "unknown bits in prot 0x%llx%s",
				  (unsigned long long)prot, hint);
	if (relax && prot & ~perms)
		return trace_fail(l, at, "relax_perms adds R, W and X only%s", hint);
	a |= prot & b->x ? S2_X : 0;
	a |= prot & b->w ? S2_W : 0;
	a |= prot & b->r ? S2_R : 0;
	if (!a)
		return trace_fail(l, at, "prot 0x%llx gives no permission%s",
				  (unsigned long long)prot, hint);
	if (prot & b->device && prot & b->nc)
		return trace_fail(l, at, "prot 0x%llx is both device and non-cacheable",
				  (unsigned long long)prot);
	if (prot & b->device && prot & b->x)
		return trace_fail(l, at, "prot 0x%llx executes from device memory%s",
				  (unsigned long long)prot, hint);
	a |= prot & b->device ? S2_MEM_DEV_nGnRE : prot & b->nc ? S2_MEM_NC : S2_MEM_WB;
	a |= S2_SW((prot & PROT_SW) >> 55);
	*attr = (uint16_t)a;
	return true;
}
