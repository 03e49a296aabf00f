/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looking without changing: one address, a range, a dump.
 */
#include "internal.h"

static void describe(const struct cursor *c, uint64_t d, struct s2_mapping *m)
{
	*m = (struct s2_mapping){
		.ipa = s2_ipa(cursor_base(c)),
		.size = level_size(c->s2, c->level),
		.desc = d,
		.level = (int8_t)c->level,
		.state = desc_busy(d)  ? S2_BUSY :
			 desc_valid(d) ? S2_LEAF :
			 desc_note(d)  ? S2_NOTE :
					 S2_EMPTY,
		.note = desc_note(d) ? d >> DESC_NOTE_SHIFT : 0,
	};
	if (m->state == S2_LEAF) {
		m->pa = s2_pa(desc_oa(c->s2, d));
		m->attr = desc_attr(c->s2, d);
		m->young = d & DESC_AF;
		m->contiguous = d & DESC_CONT;
	}
}

/* The next entry that is not a table, hole or not. */
static bool next_entry(struct cursor *c, struct s2_mapping *m)
{
	while (cursor_more(c)) {
		uint64_t d = cursor_load(c, cursor_entry(c));

		if (desc_valid_table(d, c->level)) {
			cursor_down(c, d);
			continue;
		}
		describe(c, d, m);
		cursor_next(c);
		return true;
	}
	return false;
}

int s2_lookup(const struct s2 *s2, s2_ipa_t ipa, struct s2_mapping *m)
{
	struct cursor c = { .ipa = ipa.ipa, .level = s2->start_level };
	unsigned shift = s2->start_shift, mask = table_entries(s2) - 1;
	const uint64_t *table = s2->root;
	uint64_t d;

	if (ipa.ipa >> s2->ipa_bits)
		return S2_E_IPA_RANGE;
	/* The cursor changes nothing unless told to. */
	c.s2 = (struct s2 *)(uintptr_t)s2;
	d = s2_port_load(s2->port, &table[ipa.ipa >> shift]);
	while (desc_valid_table(d, c.level)) {
		table = s2_port_table_va(s2->port, desc_oa(s2, d));
		shift -= page_shift(s2) - 3;
		c.level++;
		d = s2_port_load(s2->port, &table[ipa.ipa >> shift & mask]);
	}
	describe(&c, d, m);
	return 0;
}

void s2_stats(const struct s2 *s2, struct s2_stats *st)
{
	for (int l = 0; l < S2_LEVELS; l++)
		st->tables[l] = s2_port_word_load(s2->port, &s2->made[l]) -
				s2_port_word_load(s2->port, &s2->freed[l]);
	for (int i = 0; i < 3; i++)
		st->tlbis[i] = s2_port_word_load(s2->port, &s2->tlbis[i]);
}

int s2_count(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     uint64_t bytes[S2_LEVELS], struct s2_op *op)
{
	uint64_t end = ipa.ipa + size;
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_COUNT, ipa.ipa, size, 0, flags);
	if (err)
		return err;
	cursor_start(&c, s2, &step, op->st.pos, end);
	while (cursor_more(&c)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c)), past;

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		past = cursor_base(&c) + level_size(s2, c.level);
		if (desc_valid(d))
			bytes[c.level] += (past < end ? past : end) - c.ipa;
		cursor_next(&c);
	}
	op->st.pos = c.ipa < end ? c.ipa : end;
	op->done = s2_ipa(op->st.pos);
	return op_end(s2, op, &step, op->st.pos < end ? S2_MORE : 0);
}

int s2_iter_start(struct s2_iter *it, const struct s2 *s2, s2_ipa_t ipa, uint64_t size)
{
	int err = check_range(s2, ipa.ipa, size);

	if (err)
		return err;
	*it = (struct s2_iter){
		.s2 = s2, .ipa = ipa.ipa, .end = ipa.ipa + size, .level = s2->start_level
	};
	it->table[it->level] = s2->root;
	return 0;
}

bool s2_iter_next(struct s2_iter *it, struct s2_mapping *m)
{
	struct step step = { .entries = NO_BUDGET, .bytes = NO_BUDGET, .hint_level = -1 };
	struct cursor c = { .s2 = (struct s2 *)(uintptr_t)it->s2,
			    .step = &step,
			    .ipa = it->ipa,
			    .end = it->end,
			    .level = it->level };
	bool found;

	for (int l = 0; l < S2_LEVELS; l++)
		c.table[l] = it->table[l];
	do
		found = next_entry(&c, m);
	while (found && m->state == S2_EMPTY);
	for (int l = 0; l < S2_LEVELS; l++)
		it->table[l] = c.table[l];
	it->ipa = c.ipa;
	it->level = (int8_t)c.level;
	return found;
}

/* ---- the dump: the engine has no printf ------------------------------------------ */

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
