/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A dump for people, by the public API. The engine has no printf.
 */
#include "internal.h"

struct line {
	char *buf;
	size_t size, n;
};

static void put(struct line *l, const char *s)
{
	for (; *s; s++)
		if (l->n + 1 < l->size)
			l->buf[l->n++] = *s;
	if (l->size)
		l->buf[l->n] = '\0';
}

static void put_number(struct line *l, uint64_t v, unsigned base)
{
	char digits[24];
	unsigned i = sizeof(digits) - 1;

	digits[i] = '\0';
	do
		digits[--i] = "0123456789abcdef"[v % base];
	while (v /= base);
	put(l, base == 16 ? "0x" : "");
	put(l, &digits[i]);
}

static const char *mem_name(s2_attr_t attr)
{
	static const char *const name[] = { "wb",     "nc",    "s1",   "?",
					    "nGnRnE", "nGnRE", "nGRE", "GRE" };

	return name[(attr & S2_MEM_MASK) >> 4];
}

static const char *exec_name(s2_attr_t attr)
{
	static const char *const name[] = { "-", "u", "p", "x" };

	return name[(attr & S2_X) / S2_XU];
}

static void format(struct line *l, const struct s2_mapping *m, uint64_t count)
{
	put_number(l, m->ipa.ipa, 16);
	put(l, "-");
	put_number(l, m->ipa.ipa + count * m->size, 16);
	if (m->state == S2_BUSY) {
		put(l, " busy L");
		put_number(l, (uint64_t)m->level, 10);
		return;
	}
	if (m->state == S2_NOTE) {
		put(l, " note ");
		put_number(l, m->note, 16);
	} else {
		put(l, " -> ");
		put_number(l, m->pa.pa, 16);
	}
	put(l, " L");
	put_number(l, (uint64_t)m->level, 10);
	put(l, " x");
	put_number(l, count, 10);
	if (m->state == S2_NOTE)
		return;
	put(l, " ");
	put(l, m->attr & S2_R ? "r" : "-");
	put(l, m->attr & S2_W ? "w" : "-");
	put(l, exec_name(m->attr));
	put(l, " ");
	put(l, mem_name(m->attr));
	if (m->young)
		put(l, " af");
	if (m->contiguous)
		put(l, " cont");
	if (m->attr & S2_SH_MASK)
		put(l, m->attr & S2_SH_OUTER ? " outer" : " unshared");
	if (m->attr & S2_DBM)
		put(l, m->attr & S2_W ? " dirty" : " clean");
	if (m->attr & S2_SW_MASK) {
		put(l, " sw");
		put_number(l, (m->attr & S2_SW_MASK) >> 8, 10);
	}
}

bool s2_dump_next(struct s2_iter *it, char *buf, size_t size)
{
	struct line l = { .buf = buf, .size = size };
	struct s2_mapping first, m;
	struct s2_iter ahead;
	uint64_t count = 1;

	if (!s2_iter_next(it, &first))
		return false;
	for (ahead = *it; s2_iter_next(&ahead, &m); *it = ahead, count++)
		if (first.state == S2_BUSY || m.level != first.level ||
		    m.ipa.ipa != first.ipa.ipa + count * first.size ||
		    m.desc != first.desc +
				      (first.state == S2_LEAF ? count * first.size : 0))
			break;
	format(&l, &first, count);
	return true;
}
