/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cursor's steps, and stores and counts as its call's mode asks for them.
 */
#include "internal.h"

uint64_t *cursor_entry(const struct cursor *c)
{
	uint64_t i = c->ipa >> level_shift(c->s2, c->level);

	/* The start level's tables are contiguous: one array. */
	if (c->level != c->s2->start_level)
		i &= table_entries(c->s2) - 1;
	return &c->table[c->level][i];
}

uint64_t *cursor_meta(const struct cursor *c)
{
	uint64_t *table = c->table[c->level];

	if (c->level == c->s2->start_level)
		table += (c->ipa >> level_shift(c->s2, c->level)) &
			 ~(uint64_t)(table_entries(c->s2) - 1);
	return table_meta(c->s2, table);
}

bool cursor_swap(const struct cursor *c, uint64_t *entry, uint64_t old,
			       uint64_t new, bool racy)
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
	return c->ipa == cursor_base(c) && c->end - c->ipa >= level_size(c->s2, c->level);
}

uint64_t cursor_run(const struct cursor *c, uint64_t visits)
{
	uint64_t base = cursor_base(c), n;
	uint64_t past = (base | (level_size(c->s2, c->level - 1) - 1)) + 1;

	n = ((past < c->end ? past : c->end) - base) >> level_shift(c->s2, c->level);
	return n < visits ? n : visits;
}

void cursor_next(struct cursor *c)
{
	c->ipa = cursor_past(c);
	while (c->level > c->s2->start_level &&
	       !(c->ipa & (level_size(c->s2, c->level - 1) - 1)))
		c->level--;
}

bool cursor_read(struct cursor *c, uint64_t **entry, uint64_t *d)
{
	*entry = cursor_entry(c);
	*d = cursor_load(c, *entry);
	if (!desc_valid_table(*d, c->level))
		return true;
	cursor_down(c, table_of(c->s2, *d));
	return false;
}

uint64_t cursor_find(struct cursor *c)
{
	uint64_t *entry, d;

	while (!cursor_read(c, &entry, &d))
		;
	return d;
}
