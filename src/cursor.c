/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cursor's steps, and stores and counts as its call's mode asks for them.
 */
#include "internal.h"

uint64_t *cursor_entry(const struct cursor *c)
{
	uint64_t i = c->ipa >> c->shift;

	/* The start level's tables are contiguous: one array. */
	if (c->level != c->s2->start_level)
		i &= table_entries(c->s2) - 1;
	return &c->table[c->level][i];
}

uint64_t *cursor_meta(const struct cursor *c)
{
	uint64_t *table = c->table[c->level];

	if (c->level == c->s2->start_level)
		table += c->ipa >> c->shift & ~(uint64_t)(table_entries(c->s2) - 1);
	return table_meta(c->s2, table);
}

bool cursor_swap(const struct cursor *c, uint64_t *entry, uint64_t old, uint64_t new,
		 bool racy)
{
	if (is_shared(c->step) || racy)
		return s2_port_cas(c->s2->port, entry, old, new) == old;
	s2_port_store(c->s2->port, entry, new);
	return true;
}

uint64_t state_add(const struct cursor *c, uint64_t *meta, uint64_t delta)
{
	uint64_t old;

	if (is_shared(c->step))
		return s2_port_word_add(c->s2->port, &meta[META_STATE], delta);
	old = meta[META_STATE];
	meta[META_STATE] = old + delta;
	return old;
}

void state_flag(const struct cursor *c, uint64_t *meta, uint64_t flags)
{
	if (!(flags & ~state_of(c->s2, meta)))
		return;
	if (is_shared(c->step))
		s2_port_word_or(c->s2->port, &meta[META_STATE], flags);
	else
		meta[META_STATE] |= flags;
}

bool cursor_covers(const struct cursor *c)
{
	return c->ipa == cursor_base(c) && c->end - c->ipa >= cursor_size(c);
}

uint64_t cursor_run(const struct cursor *c, uint64_t visits)
{
	uint64_t base = cursor_base(c), n;
	uint64_t past = (base | ((cursor_size(c) << table_bits(c->s2)) - 1)) + 1;

	n = ((past < c->end ? past : c->end) - base) >> c->shift;
	return n < visits ? n : visits;
}

void cursor_next(struct cursor *c)
{
	uint64_t next = cursor_past(c);

	for (; c->level > c->s2->start_level && cursor_last(c); cursor_up(c))
		;
	c->ipa = next;
}

bool cursor_read(struct cursor *c, uint64_t **entry, uint64_t *d)
{
	*entry = cursor_entry(c);
	*d = cursor_load(c, *entry);
	if (!desc_valid_table(*d, c->level))
		return true;
	cursor_down(c, *d);
	return false;
}

uint64_t cursor_find(struct cursor *c)
{
	uint64_t *entry, d;

	while (!cursor_read(c, &entry, &d))
		;
	return d;
}

void cursor_into(struct cursor *c, uint64_t *table)
{
	c->level++;
	c->shift -= table_bits(c->s2);
	c->table[c->level] = table;
}

void cursor_down(struct cursor *c, uint64_t d)
{
	cursor_into(c, table_of(c->s2, d));
}

void gather_leaf(struct s2_gather *g, const struct cursor *c)
{
	gather_add(g, cursor_base(c), cursor_size(c), cursor_size(c));
	g->levels |= (uint8_t)(1u << c->level);
}

void gather_entry(struct s2_gather *g, const struct cursor *c, uint64_t d)
{
	if (!desc_is_table(d, c->level)) {
		gather_leaf(g, c);
		return;
	}
	gather_add(g, cursor_base(c), cursor_size(c), page_size(c->s2));
	g->table = true;
}

uint64_t desc_keep_exec(uint64_t d)
{
	return (d & ~DESC_KEPT) | (d & DESC_XN) >> DESC_KEPT_SHIFT;
}

uint64_t desc_before(uint64_t d)
{
	if (d & DESC_TAGGED && !desc_valid(d))
		d = (d & ~(DESC_TAG | DESC_KEPT)) | (d & DESC_KEPT) << DESC_KEPT_SHIFT;
	return (d & ~(DESC_BUSY | DESC_OWED)) | DESC_VALID;
}

uint64_t state_below(const struct s2 *s2, uint64_t d)
{
	return state_of(s2, table_meta(s2, table_of(s2, d)));
}

uint64_t *table_of(const struct s2 *s2, uint64_t d)
{
	return table_in(s2, desc_oa_mask(s2), wide_of(s2), d);
}

struct place walk_any(const struct s2 *s2, uint64_t ipa)
{
	struct place p = { .table = s2->root, .level = s2->start_level };
	uint64_t i = ipa >> s2->start_shift;

	for (;; p.level++) {
		p.entry = &p.table[i];
		p.d = s2_port_load(s2->port, p.entry);
		if (!desc_valid_table(p.d, p.level))
			return p;
		p.table = table_of(s2, p.d);
		i = ipa >> level_shift(s2, p.level + 1) & (table_entries(s2) - 1);
	}
}
