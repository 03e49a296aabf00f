/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Blocks into smaller ones, everything still mapped. A round takes every block of a
 * window one level down: fill the tables while the guest still uses the blocks, break all
 * blocks, invalidate once, link all tables. A level-1 block takes two rounds. The tables
 * for all rounds are taken before the first.
 */
#include "internal.h"

uint64_t next_block(struct cursor *c, const struct wanted *w)
{
	while (cursor_more(c)) {
		uint64_t *entry, d;

		if (!cursor_read(c, &entry, &d))
			continue;
		if (desc_valid(d) && c->level < LAST_LEVEL &&
		    (!w->straddling || w->edge & (cursor_size(c) - 1)))
			return d;
		/* Another's split or collapse: a block may come back there. */
		if (is_shared(c->step) && desc_busy(d) && d & DESC_REMAKE &&
		    desc_tag(d) != c->step->tag)
			c->step->wait = true;
		cursor_next(c);
	}
	return 0;
}

/* Fill a table for block @d at @level, and note in its state word that it is for that. */
static void fill_table(struct s2 *s2, uint64_t *table, uint64_t d, int level)
{
	uint64_t part = desc_part_of_block(s2, d, level, 0);
	uint64_t size = level_size(s2, level + 1), *end = table + table_entries(s2);

	table_meta(s2, table)[META_STATE] = d;
	for (; table < end; table++, part += size)
		s2_port_store(s2->port, table, part);
}

/*
 * Break. A table whose block is not the one that is found has been filled in vain, for
 * hardware or another call has changed the block, or it has gone; it is filled anew.
 */
static void break_blocks(struct cursor *c, const struct wanted *w, uint64_t *filled,
			 struct s2_gather *g)
{
	struct s2 *s2 = c->s2;
	uint64_t d;

	while (*filled && !c->step->wait && (d = next_block(c, w))) {
		uint64_t link = *filled;
		uint64_t *table = reserve_take(s2, filled), *meta = table_meta(s2, table);

		if (meta[META_STATE] != d || (int)(link & LINK_LEVEL) != c->level)
			fill_table(s2, table, d, c->level);
		meta[META_STATE] =
			table_entries(s2) * META_LIVE_ONE + meta_of_leaf(s2, d);
		/* Block to table is a change of size: break before make [RWHZWS]. */
		if (!break_entry(c, cursor_entry(c), d,
				 desc_make_table(s2, link_pa(link)) | DESC_REMAKE, g)) {
			meta[META_STATE] = 0;
			reserve_return(s2, filled, table);
			continue;
		}
		/* From here on it goes with the table it is in. */
		state_add(c, cursor_meta(c), META_TABLE_ONE);
		count_made(c, c->level + 1);
		cursor_next(c);
	}
}

/* Every marker of this call becomes a valid table entry. */
static void link_tables(struct s2 *s2, struct step *step, const struct wanted *w)
{
	struct cursor c;

	cursor_start(&c, s2, step, w->start, w->end);
	while (cursor_more(&c)) {
		uint64_t *entry, d;

		if (!cursor_read(&c, &entry, &d))
			continue;
		if (desc_busy(d) && d & DESC_REMAKE && desc_tag(d) == step->tag) {
			/* Counted first: from the link on others may count it out. */
			state_add(&c, cursor_meta(&c), UINT64_C(0) - META_BUSY_ONE);
			/*
			 * The table's entries before the entry that links it: a walk
			 * reads the second through the address it got from the
			 * first, so it needs only that the stores be ordered.
			 */
			s2_port_store_release(s2->port, entry,
					      desc_make_table(s2, desc_oa(s2, d)));
		}
		cursor_next(&c);
	}
	S2_ASSERT(c.ipa >= c.end);
}

void split_round(struct s2 *s2, struct step *step, const struct wanted *w,
		 uint64_t *reserve)
{
	struct s2_gather g = { 0 };
	struct cursor c;
	uint64_t d, filled = 0, *tail = &filled;

	/* Fill: a list in walking order, linked by the tables' metadata. */
	cursor_start(&c, s2, step, w->start, w->end);
	for (; *reserve && (d = next_block(&c, w)); cursor_next(&c)) {
		uint64_t *table = reserve_take(s2, reserve);

		fill_table(s2, table, d, c.level);
		*tail = s2_port_table_pa(s2->port, table) | LINK_PRESENT |
			(uint64_t)c.level;
		tail = &table_meta(s2, table)[META_LINK];
	}
	cursor_start(&c, s2, step, w->start, w->end);
	break_blocks(&c, w, &filled, &g);
	if (g.start < g.end) {
		invalidate(s2, step, &g);
		link_tables(s2, step, w);
	}
	/*
	 * Filled for blocks that others have taken away meanwhile. A map takes tables
	 * from the same reserve and links them as empty ones.
	 */
	while (filled) {
		uint64_t *table = reserve_take(s2, &filled);

		table_meta(s2, table)[META_STATE] = 0;
		for (unsigned i = 0; i < table_entries(s2); i++)
			s2_port_store(s2->port, &table[i], 0);
		reserve_return(s2, reserve, table);
	}
}

/* ---- the edges of a range ------------------------------------------------------- */

/*
 * The level of the block, or with @notes the annotation, that the edge lies inside;
 * LAST_LEVEL: none. Only entries that the edge lies inside are read: a table that begins
 * or ends at it need not be (P6). The end of the IPA space is inside none.
 */
static int edge_level(struct s2 *s2, uint64_t edge, bool notes)
{
	uint64_t *table = s2->root, i = edge >> s2->start_shift, d;

	for (int level = s2->start_level; edge & (level_size(s2, level) - 1); level++) {
		d = s2_port_load(s2->port, &table[i]);
		if (!desc_valid_table(d, level))
			return (S2_USE_NOTES && notes ? desc_note(d) : desc_valid(d)) ?
				       level :
				       LAST_LEVEL;
		table = table_of(s2, d);
		i = edge >> level_shift(s2, level + 1) & (table_entries(s2) - 1);
	}
	return LAST_LEVEL;
}

unsigned tables_to(const struct s2 *s2, uint64_t start, uint64_t end, int level)
{
	unsigned n = 0;

	for (; level < LAST_LEVEL; level++) {
		uint64_t in = level_size(s2, level) - 1;

		n += start & in && (!(end & in) || (start ^ end) & ~in);
		n += (end & in) != 0;
	}
	return n;
}

uint64_t edges_need(struct s2 *s2, uint64_t start, uint64_t end, bool notes)
{
	int first = edge_level(s2, start, notes), last = edge_level(s2, end, notes);

	if (first == LAST_LEVEL && last == LAST_LEVEL)
		return 0;
	if (!S2_USE_RESHAPE && !S2_USE_NOTES)
		return 1;
	/* In one entry the paths to both edges have tables in common. */
	if (first == last && (start ^ end) < level_size(s2, first))
		return tables_to(s2, start, end, first);
	return tables_to(s2, start, 0, first) + tables_to(s2, 0, end, last);
}

void edges_split(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint64_t *reserve)
{
	const uint64_t edges[] = { start, end };
	struct step free = step_free(step->shared ? S2_SHARED : 0);

	free.tag = step->tag;
	if (has_runs(s2)) {
		run_break(s2, start);
		run_break(s2, end);
	}
	/* Both edges may be in one block: ask again before each round. */
	for (int i = 0; i < 2; i++)
		for (int round = 0;
		     round < LAST_LEVEL && edge_level(s2, edges[i], false) < LAST_LEVEL;
		     round++)
			split_round(s2, &free,
				    &(struct wanted){ edges[i], edges[i] + page_size(s2),
						      edges[i], true },
				    reserve);
	step->tag = free.tag;
	step->wait |= free.wait;
}

int settle_edges(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint32_t flags)
{
	uint64_t reserve = 0, n = edges_need(s2, start, end, false);

	if (!n)
		return 0;
	if (!S2_USE_RESHAPE || !(flags & S2_SPLIT_EDGES))
		return S2_E_BLOCK;
	if (reserve_fill(s2, step->op->cookie, &reserve, n))
		return S2_E_NOMEM;
	edges_split(s2, step, start, end, &reserve);
	reserve_drain(s2, &reserve);
	return step->wait ? S2_MORE : 0;
}
