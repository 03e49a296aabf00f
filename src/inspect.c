/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looking without changing: one address, a range, a dump.
 */
#include "internal.h"

void entry_describe(const struct s2 *s2, uint64_t ipa, int level, uint64_t d,
		    struct s2_mapping *m)
{
	uint64_t size = level_size(s2, level);

	*m = (struct s2_mapping){ .state = S2_EMPTY };
	m->ipa = s2_ipa(ipa & ~(size - 1));
	m->size = size;
	m->desc = d;
	m->level = (int8_t)level;
	if (desc_valid(d)) {
		m->state = S2_LEAF;
		m->pa = s2_pa(desc_oa(s2, d));
		m->attr = desc_attr(s2, d);
		m->young = d & DESC_AF;
		m->contiguous = S2_USE_RUNS && d & DESC_CONT;
	} else if (desc_busy(d)) {
		m->state = S2_BUSY;
	} else if (S2_USE_NOTES && d) {
		m->state = S2_NOTE;
		m->note = d >> DESC_NOTE_SHIFT;
	}
}

/* The next entry that is not a table, hole or not. */
static bool next_entry(struct cursor *c, struct s2_mapping *m)
{
	while (cursor_more(c)) {
		uint64_t *entry, d;

		if (!cursor_read(c, &entry, &d))
			continue;
		entry_describe(c->s2, c->ipa, c->level, d, m);
		cursor_next(c);
		return true;
	}
	return false;
}

/*
 * An entry with the contiguous hint, if it is no marker. Hardware may set the access flag
 * of a run in any one of its members. Not inline: few lookups come here.
 */
static __attribute__((__noinline__)) int lookup_run(const struct s2 *s2, uint64_t ipa,
						    const uint64_t *entry, uint64_t d,
						    int level, struct s2_mapping *m)
{
	uint64_t n = run_size(s2, level) >> level_shift(s2, level);

	entry_describe(s2, ipa, level, d, m);
	if (!m->contiguous)
		return 0;
	entry -= (ipa >> level_shift(s2, level)) & (n - 1);
	for (uint64_t i = 0; i < n; i++)
		m->young |= (s2_port_load(s2->port, &entry[i]) & DESC_AF) != 0;
	return 0;
}

int s2_lookup(const struct s2 *s2, s2_ipa_t ipa, struct s2_mapping *m)
{
	struct place p;

	if (ipa.ipa >= s2->ipa_end)
		return S2_E_IPA_RANGE;
	p = walk(s2, ipa.ipa);
	if (S2_USE_RUNS && p.d & DESC_CONT)
		return lookup_run(s2, ipa.ipa, p.entry, p.d, p.level, m);
	entry_describe(s2, ipa.ipa, p.level, p.d, m);
	return 0;
}

/* What s2_translate() says of an entry at @level, where the walk ends. */
S2_INLINE int answer(const struct s2 *s2, unsigned wide, uint64_t ipa, int level,
		     uint64_t d, struct s2_leaf *leaf)
{
	uint64_t in = ipa & (level_size(s2, level) - 1);

	if (!desc_valid(d))
		return desc_busy(d) ? S2_E_BUSY : S2_E_NOENT;
	leaf->pa = s2_pa(desc_oa_in(desc_oa_mask(s2), wide, d) | in);
	leaf->desc = d;
	leaf->level = (int8_t)level;
	return 0;
}

/* As walk_in(), with an answer of its own for each level where the walk may end. */
S2_INLINE int translate(const struct s2 *s2, uint64_t ipa, int start,
			struct s2_leaf *leaf)
{
	struct place p = { .table = s2->root };
	uint64_t mask = desc_oa_mask(s2);
	void *port = s2->port;

	p.d = s2_port_load(port, &p.table[ipa >> level_shift(s2, start)]);
	switch (start) {
	case 0:
		if (!desc_walks(p.d))
			return answer(s2, S2_WIDE_NO, ipa, 0, p.d, leaf);
		walk_down(s2, port, mask, S2_WIDE_NO, ipa, 1, &p);
		S2_FALLTHROUGH;
	case 1:
		if (!desc_walks(p.d))
			return answer(s2, S2_WIDE_NO, ipa, 1, p.d, leaf);
		walk_down(s2, port, mask, S2_WIDE_NO, ipa, 2, &p);
		S2_FALLTHROUGH;
	case 2:
		if (!desc_walks(p.d))
			return answer(s2, S2_WIDE_NO, ipa, 2, p.d, leaf);
		walk_down(s2, port, mask, S2_WIDE_NO, ipa, 3, &p);
	}
	return answer(s2, S2_WIDE_NO, ipa, LAST_LEVEL, p.d, leaf);
}

/* Any shape. Not inline, for it needs more registers than those below. */
static __attribute__((__noinline__)) int translate_any(const struct s2 *s2, uint64_t ipa,
						       struct s2_leaf *leaf)
{
	struct place p = walk_any(s2, ipa);

	return answer(s2, wide_of(s2), ipa, p.level, p.d, leaf);
}

int s2_translate(const struct s2 *s2, s2_ipa_t ipa, struct s2_leaf *leaf)
{
	if (ipa.ipa >= s2->ipa_end)
		return S2_E_IPA_RANGE;
	/* Of 4 KiB: 35 to 43 bits, and 44 to 48. */
	if (S2_USE_FAST && !wide_of(s2) && s2->start_level == 1)
		return translate(s2, ipa.ipa, 1, leaf);
	if (S2_USE_FAST && !wide_of(s2) && s2->start_level == 0)
		return translate(s2, ipa.ipa, 0, leaf);
	return translate_any(s2, ipa.ipa, leaf);
}

void s2_stats(const struct s2 *s2, struct s2_stats *st)
{
	for (int l = 0; l < S2_LEVELS; l++)
		st->tables[l] = s2_port_word_load(s2->port, &s2->made[l]) -
				s2_port_word_load(s2->port, &s2->freed[l]);
	for (int i = 0; i < 3; i++)
		st->tlbis[i] = s2_port_word_load(s2->port, &s2->tlbis[i]);
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
	struct step step = { .entries = NO_BUDGET, .bytes = NO_BUDGET };
	struct cursor c = { .s2 = (struct s2 *)(uintptr_t)it->s2,
			    .step = &step,
			    .ipa = it->ipa,
			    .end = it->end,
			    .level = it->level,
			    .shift = level_shift(it->s2, it->level) };
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
