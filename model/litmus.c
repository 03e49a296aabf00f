/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parser of litmus tests. What it does not know is an error. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litmus.h"

struct scan {
	struct litmus *l;
	const char *p;	  /* next character */
	const char *text; /* the whole file, to count lines */
	char *err;
	size_t err_size;
};

__attribute__((format(printf, 2, 3))) static int fail(struct scan *s, const char *fmt,
						      ...)
{
	unsigned line = 1;
	va_list ap;
	int n;

	for (const char *c = s->text; c < s->p; c++)
		line += *c == '\n';
	n = snprintf(s->err, s->err_size, "line %u: ", line);
	if (n >= 0 && (size_t)n < s->err_size) {
		va_start(ap, fmt);
		vsnprintf(s->err + n, s->err_size - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return -1;
}

static void skip(struct scan *s)
{
	while (isspace((unsigned char)*s->p))
		s->p++;
}

/* Skips the text if it comes next. A word must end there. */
static bool eat(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	skip(s);
	if (strncmp(s->p, text, n))
		return false;
	if (isalnum((unsigned char)text[n - 1]) && isalnum((unsigned char)s->p[n]))
		return false;
	s->p += n;
	return true;
}

static bool name(struct scan *s, char *buf, size_t size)
{
	size_t n = 0;

	skip(s);
	if (!isalpha((unsigned char)*s->p) && *s->p != '_')
		return false;
	while (isalnum((unsigned char)s->p[n]) || s->p[n] == '_')
		n++;
	if (n >= size)
		return false;
	memcpy(buf, s->p, n);
	buf[n] = '\0';
	s->p += n;
	return true;
}

static bool number(struct scan *s, unsigned max, uint8_t *v)
{
	char *end;
	unsigned long n;

	skip(s);
	if (!isdigit((unsigned char)*s->p))
		return false;
	n = strtoul(s->p, &end, 0);
	s->p = end;
	*v = (uint8_t)n;
	return n <= max;
}

static bool symbol(struct scan *s, uint8_t *sym)
{
	struct litmus *l = s->l;
	char buf[sizeof(l->sym[0])];

	if (!name(s, buf, sizeof(buf)))
		return false;
	for (*sym = 0; *sym < l->nr_syms; (*sym)++)
		if (!strcmp(l->sym[*sym], buf))
			return true;
	if (l->nr_syms == LITMUS_SYMS)
		return false;
	memcpy(l->sym[*sym], buf, sizeof(buf));
	l->pte[*sym] = (uint8_t)(LITMUS_VALID + *sym);
	l->nr_syms++;
	return true;
}

/* X0..X30 or W0..W30: the machine's values are bytes, so the width does not matter. */
static bool reg(struct scan *s, uint8_t *r)
{
	skip(s);
	if (*s->p != 'X' && *s->p != 'W')
		return false;
	s->p++;
	return number(s, 30, r);
}

/* (oa:PA(x)) or (oa:PA(x),valid:0) */
static bool entry(struct scan *s, uint8_t *v)
{
	uint8_t sym, valid = 1;

	if (!eat(s, "oa") || !eat(s, ":") || !eat(s, "PA") || !eat(s, "(") ||
	    !symbol(s, &sym) || !eat(s, ")"))
		return false;
	if (eat(s, ",") && (!eat(s, "valid") || !eat(s, ":") || !number(s, 1, &valid)))
		return false;
	*v = (uint8_t)((valid ? LITMUS_VALID : LITMUS_INVALID) + sym);
	return eat(s, ")");
}

/* A number, the address of a symbol, or an entry. */
static bool value(struct scan *s, uint8_t *v)
{
	uint8_t sym;

	if (eat(s, "("))
		return entry(s, v);
	if (number(s, 63, v))
		return true;
	if (!symbol(s, &sym))
		return false;
	*v = (uint8_t)(LITMUS_ADDR + sym);
	return true;
}

static int init_item(struct scan *s)
{
	struct litmus *l = s->l;
	uint8_t pe, r, sym, v;

	skip(s);
	if (isdigit((unsigned char)*s->p)) {
		if (!number(s, ORDER_PES - 1, &pe) || !eat(s, ":") || !reg(s, &r) ||
		    !eat(s, "="))
			return fail(s, "PE:register= expected");
		if (eat(s, "PTE")) {
			if (!eat(s, "(") || !symbol(s, &sym) || !eat(s, ")"))
				return fail(s, "PTE(symbol) expected");
			l->pte_used[sym] = true;
			v = (uint8_t)(LITMUS_PTE_ADDR + sym);
		} else if (!value(s, &v)) {
			return fail(s, "a value expected");
		}
		l->reg[pe][r] = v;
	} else if (eat(s, "PTE")) {
		if (!eat(s, "(") || !symbol(s, &sym) || !eat(s, ")") || !eat(s, "=") ||
		    !eat(s, "(") || !entry(s, &l->pte[sym]))
			return fail(s, "PTE(symbol)=(oa:PA(symbol)) expected");
	} else {
		if (!symbol(s, &sym) || !eat(s, "=") || !value(s, &v))
			return fail(s, "symbol=0..63, or =symbol, expected");
		l->mem[sym] = v;
	}
	return eat(s, ";") ? 0 : fail(s, "';' expected");
}

static bool address(struct scan *s, struct litmus_insn *in)
{
	return reg(s, &in->reg) && eat(s, ",") && eat(s, "[") && reg(s, &in->base) &&
	       eat(s, "]");
}

static bool barrier(struct scan *s, uint8_t *b)
{
	static const struct {
		const char *name;
		uint8_t b;
	} kinds[] = {
		{ "ISHST", ORDER_DSB_ISHST }, { "ISHLD", ORDER_DSB_ISHLD },
		{ "ISH", ORDER_DSB_ISH },     { "SY", ORDER_DSB_SY },
		{ "NSH", ORDER_DSB_NSH },
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (eat(s, kinds[i].name)) {
			*b = kinds[i].b;
			return true;
		}
	return false;
}

static bool tlbi(struct scan *s, struct litmus_insn *in)
{
	if (eat(s, "VMALLE1IS") || eat(s, "VMALLE1")) {
		in->arg = s->p[-1] == 'S';
		in->op = LITMUS_TLBI_ALL;
		return true;
	}
	if (!eat(s, "VAAE1IS") && !eat(s, "VAE1IS") && !eat(s, "VAAE1") &&
	    !eat(s, "VAE1"))
		return false;
	in->arg = s->p[-1] == 'S';
	in->op = LITMUS_TLBI_VA;
	return eat(s, ",") && reg(s, &in->base);
}

/* One instruction, with or without a label, or nothing, up to '|' or ';'. */
static int cell(struct scan *s, unsigned pe)
{
	struct litmus *l = s->l;
	struct litmus_insn in = { .op = LITMUS_NOP };
	const char *start = s->p;
	bool ok = true, any = true;
	uint8_t shift;

	if (name(s, in.label, sizeof(in.label)) && eat(s, ":")) {
		start = s->p;
	} else {
		memset(in.label, 0, sizeof(in.label));
		s->p = start;
	}
	if (eat(s, "NOP")) {
		;
	} else if (eat(s, "MOV")) {
		in.op = LITMUS_MOV;
		ok = reg(s, &in.reg) && eat(s, ",") && eat(s, "#") &&
		     number(s, 63, &in.arg);
	} else if (eat(s, "LSR")) {
		in.op = LITMUS_LSR12;
		ok = reg(s, &in.reg) && eat(s, ",") && reg(s, &in.base) && eat(s, ",") &&
		     eat(s, "#") && number(s, 12, &shift) && shift == 12;
	} else if (eat(s, "CBZ")) {
		in.op = LITMUS_CBZ;
		ok = reg(s, &in.reg) && eat(s, ",") &&
		     name(s, in.target, sizeof(in.target));
	} else if (eat(s, "CMP")) {
		in.op = LITMUS_CMP;
		ok = reg(s, &in.reg) && eat(s, ",") && reg(s, &in.base);
	} else if (eat(s, "B.NE")) {
		in.op = LITMUS_CBNZ;
		in.reg = LITMUS_FLAGS;
		ok = name(s, in.target, sizeof(in.target));
	} else if (eat(s, "LDR") || eat(s, "LDAR")) {
		in.arg = s->p[-2] == 'A';
		in.op = LITMUS_LDR;
		ok = address(s, &in);
	} else if (eat(s, "STR") || eat(s, "STLR")) {
		in.arg = s->p[-2] == 'L';
		in.op = LITMUS_STR;
		ok = address(s, &in);
	} else if (eat(s, "LDXR") || eat(s, "LDAXR")) {
		in.arg = s->p[-3] == 'A';
		in.op = LITMUS_LDXR;
		ok = address(s, &in);
	} else if (eat(s, "STXR") || eat(s, "STLXR")) {
		in.arg = s->p[-3] == 'L';
		in.op = LITMUS_STXR;
		ok = reg(s, &in.status) && eat(s, ",") && address(s, &in);
	} else if (eat(s, "DMB")) {
		ok = barrier(s, &shift) && shift != ORDER_DSB_NSH;
		in.op = shift == ORDER_DSB_ISHST ? LITMUS_DMB_ST :
			shift == ORDER_DSB_ISHLD ? LITMUS_DMB_LD :
						   LITMUS_DMB;
	} else if (eat(s, "DSB")) {
		in.op = LITMUS_BARRIER;
		ok = barrier(s, &in.arg);
	} else if (eat(s, "ISB")) {
		in.op = LITMUS_BARRIER;
		in.arg = ORDER_ISB;
	} else if (eat(s, "TLBI")) {
		ok = tlbi(s, &in);
	} else {
		any = in.label[0];
	}
	skip(s);
	if (!ok || (*s->p != '|' && *s->p != ';'))
		return fail(s, "instruction not known: %.24s", start);
	if (!any)
		return 0;
	if (l->nr_insns[pe] == LITMUS_INSNS)
		return fail(s, "more than %d instructions", LITMUS_INSNS);
	l->insn[pe][l->nr_insns[pe]++] = in;
	return 0;
}

static int program(struct scan *s)
{
	struct litmus *l = s->l;
	char buf[4];

	do {
		if (l->nr_pes == ORDER_PES || !name(s, buf, sizeof(buf)) ||
		    buf[0] != 'P' || buf[1] != (char)('0' + l->nr_pes) || buf[2])
			return fail(s, "P%u expected", l->nr_pes);
		l->nr_pes++;
	} while (eat(s, "|"));
	if (!eat(s, ";"))
		return fail(s, "';' expected");
	while (!eat(s, "exists")) {
		for (unsigned pe = 0; pe < l->nr_pes; pe++) {
			if (cell(s, pe))
				return -1;
			if (!eat(s, pe + 1 < l->nr_pes ? "|" : ";"))
				return fail(s, "%u columns expected", l->nr_pes);
		}
	}
	return 0;
}

static int find_label(const struct litmus *l, unsigned pe, const char *label, uint8_t *at)
{
	for (*at = 0; *at < l->nr_insns[pe]; (*at)++)
		if (!strcmp(l->insn[pe][*at].label, label))
			return 0;
	return -1;
}

/* PE:Xn=v, symbol=v, fault(Pn:label,symbol), each with '~' before it or without */
static int condition(struct scan *s)
{
	struct litmus *l = s->l;
	struct litmus_cond *c = &l->cond[l->nr_conds];
	char label[8];

	if (l->nr_conds == LITMUS_CONDS)
		return fail(s, "more than %d conditions", LITMUS_CONDS);
	l->nr_conds++;
	c->negated = eat(s, "~");
	skip(s);
	if (eat(s, "fault")) {
		c->what = LITMUS_FAULTED;
		if (!eat(s, "(") || *s->p++ != 'P' || !number(s, l->nr_pes - 1, &c->pe) ||
		    !eat(s, ":") || !name(s, label, sizeof(label)) || !eat(s, ",") ||
		    !symbol(s, &c->sym) || !eat(s, ")"))
			return fail(s, "fault(Pn:label,symbol) expected");
		if (find_label(l, c->pe, label, &c->insn))
			return fail(s, "no label %s", label);
		return 0;
	}
	if (isdigit((unsigned char)*s->p)) {
		c->what = LITMUS_REG;
		if (!number(s, l->nr_pes - 1, &c->pe) || !eat(s, ":") || !reg(s, &c->reg))
			return fail(s, "PE:register expected");
	} else {
		c->what = LITMUS_MEM;
		if (!symbol(s, &c->sym))
			return fail(s, "symbol expected");
	}
	if (!eat(s, "=") || !value(s, &c->value))
		return fail(s, "=value expected");
	return 0;
}

int litmus_parse(struct litmus *l, const char *text, char *err, size_t err_size)
{
	struct scan s = { l, text, text, err, err_size };
	size_t n;

	memset(l, 0, sizeof(*l));
	if (!eat(&s, "AArch64"))
		return fail(&s, "AArch64 expected");
	skip(&s);
	n = strcspn(s.p, " \t\r\n");
	if (!n || n >= sizeof(l->name))
		return fail(&s, "a name expected");
	memcpy(l->name, s.p, n);
	s.p += n;
	if (!eat(&s, "{"))
		return fail(&s, "'{' expected");
	while (!eat(&s, "}"))
		if (init_item(&s))
			return -1;
	if (program(&s))
		return -1;
	for (unsigned pe = 0; pe < l->nr_pes; pe++)
		for (unsigned i = 0; i < l->nr_insns[pe]; i++) {
			struct litmus_insn *in = &l->insn[pe][i];

			if (!in->target[0])
				continue;
			if (find_label(l, pe, in->target, &in->arg) || in->arg <= i)
				return fail(&s, "no label %s further on", in->target);
		}
	if (!eat(&s, "("))
		return fail(&s, "'(' expected");
	do {
		if (condition(&s))
			return -1;
	} while (eat(&s, "/\\"));
	if (!eat(&s, ")"))
		return fail(&s, "'/\\' or ')' expected");
	skip(&s);
	return *s.p ? fail(&s, "end of file expected") : 0;
}
