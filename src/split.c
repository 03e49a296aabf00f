/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Blocks into smaller ones, everything still mapped. A round takes every block
 * of a window one level down: build the tables while the guest still uses the
 * blocks, break all blocks, invalidate once, link all tables. A level-1 block
 * takes two rounds. Tables are taken before the first.
 */
#include "internal.h"

/* Which blocks: all that intersect the window, or those that straddle an edge. */
struct wanted {
	bool straddling;
	uint64_t edge;
};

/*
 * Move on to the next block that is wanted; 0 at the end of the window or of
 * the budget. The cursor stays on the block.
 */
static uint64_t next_block(struct cursor *c, const struct wanted *w)
{
	while (cursor_more(c)) {
		uint64_t d = cursor_load(c, cursor_entry(c));

		if (desc_valid_table(d, c->level)) {
			cursor_down(c, d);
			continue;
		}
		if (desc_valid(d) && c->level < LAST_LEVEL &&
		    (!w->straddling || w->edge & (level_size(c->s2, c->level) - 1)))
			return d;
		/* Another's split or collapse: a block may come back there. */
		if (c->step->shared && desc_busy(d) && d & DESC_REMAKE &&
		    !cursor_owns(c, d))
			c->step->wait = true;
		cursor_next(c);
	}
	return 0;
}

static void build_table(struct s2 *s2, uint64_t *table, uint64_t d, int level)
{
	uint64_t part = desc_part_of_block(s2, d, level, 0);
	uint64_t size = level_size(s2, level + 1), *end = table + table_entries(s2);

	for (; table < end; table++, part += size)
		s2_port_store(s2->port, table, part);
}

/*
 * Block to table is a change of size: break before make [RWHZWS]. The marker is the
 * descriptor of the table to come. With FEAT_BBM level 2 the table may follow without a
 * break [RPVTFW]: see replace_table() in collapse.c; what hardware adds to the block
 * before the swap makes that fail, and after it the block is no longer there to add to.
 */
static bool break_block(struct cursor *c, uint64_t d, uint64_t table_pa,
			struct s2_gather *g)
{
	uint64_t table = desc_make_table(c->s2, table_pa);

	/*
	 * Not in a batch: until the flush a PE could hold the block, and another call's
	 * invalidation of a page in it would have the wrong level.
	 */
	if (!(c->s2->features & S2_FEAT_BBM2) || c->step->shared ||
	    (c->step->op && c->step->op->batch))
		return break_entry(c, cursor_entry(c), d, table | DESC_REMAKE, g);
	/* The swap releases: the table's entries before the entry that links it. */
	if (s2_port_cas(c->s2->port, cursor_entry(c), d, table) != d)
		return false;
	gather_leaf(g, c, d);
	return true;
}

/*
 * Break. A block that has changed since its table was
 * built (hardware dirty state, or another call) has it built anew.
 */
static void break_blocks(struct cursor *c, const struct wanted *w, uint64_t *built,
			 struct s2_gather *g)
{
	struct s2 *s2 = c->s2;
	uint64_t d;

	while (*built && !c->step->wait && (d = next_block(c, w))) {
		uint64_t pa = link_pa(*built);
		uint64_t *table = s2_port_table_va(s2->port, pa);
		uint64_t *meta = table_meta(s2, table);

		if (s2_port_load(s2->port, table) !=
		    desc_part_of_block(s2, d, c->level, 0))
			build_table(s2, table, d, c->level);
		reserve_take(s2, built);
		meta[META_STATE] =
			table_entries(s2) * META_LIVE_ONE + meta_of_leaf(s2, d);
		if (!break_block(c, d, pa, g)) {
			meta[META_STATE] = 0;
			reserve_return(s2, built, table);
			continue;
		}
		/* From here on it goes with the table it is in. */
		state_add(c, cursor_meta(c), META_TABLE_ONE);
		count_made(c, c->level + 1);
		cursor_next(c);
	}
}

uint64_t link_remade(struct s2 *s2, struct step *step, uint64_t pos, uint64_t end)
{
	struct cursor c;

	cursor_start(&c, s2, step, pos, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c);
		uint64_t d = cursor_load(&c, entry);

		if (desc_busy(d) && d & DESC_REMAKE && cursor_owns(&c, d)) {
			/* Counted first: from the link on others may count it out. */
			state_add(&c, cursor_meta(&c), UINT64_C(0) - META_BUSY_ONE);
			/*
			 * The table's entries before the entry that links it: a walk
			 * reads the second through the address it got from the
			 * first, so it needs only that the stores be ordered.
			 */
			s2_port_store_release(s2->port, entry,
					      desc_make_table(s2, desc_oa(s2, d)));
		} else if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		cursor_next(&c);
	}
	return c.ipa;
}

static void split_round(struct s2 *s2, const struct wanted *w, struct step *step,
			uint64_t start, uint64_t end, uint64_t *reserve)
{
	struct s2_gather g = { 0 };
	struct cursor c;
	uint64_t d, built = 0, *tail = &built;

	/* Build: a list in walking order, linked by the tables' metadata. */
	cursor_start(&c, s2, step, start, end);
	for (; *reserve && (d = next_block(&c, w)); cursor_next(&c)) {
		uint64_t *table = reserve_take(s2, reserve);

		build_table(s2, table, d, c.level);
		*tail = s2_port_table_pa(s2->port, table) | LINK_PRESENT;
		tail = &table_meta(s2, table)[META_LINK];
	}

	cursor_start(&c, s2, step, start, end);
	break_blocks(&c, w, &built, &g);

	if (step->op && step->op->batch) {
		batch_gather(step->op->batch, &g);
		if (g.start < g.end)
			/* Whole blocks, which may reach beyond the window. */
			batch_range(step->op->batch, g.start, g.end, S2_BATCH_REMAKE);
	} else if (g.start < g.end) {
		invalidate(s2, step, &g);
		link_remade(s2, step, start, end);
	}
	/* Built for blocks that others have taken away meanwhile. */
	reserve_drain(s2, &built);
}

/*
 * Only entries that the edge lies inside are read: a table that begins or ends at
 * it need not be (P6). The end of the IPA space is inside none.
 */
static unsigned edge_tables(struct s2 *s2, uint64_t edge)
{
	struct step step = step_free(0);
	struct cursor c;

	cursor_start(&c, s2, &step, edge, edge + page_size(s2));
	while (edge & (level_size(s2, c.level) - 1)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c));

		if (!desc_valid_table(d, c.level))
			return desc_valid(d) ? tables_to(s2, edge, c.level) : 0;
		cursor_down(&c, d);
	}
	return 0;
}

int edges_need(struct s2 *s2, uint64_t start, uint64_t end, uint32_t flags, uint64_t *n)
{
	*n = edge_tables(s2, start) + edge_tables(s2, end);
	return *n && !(flags & S2_SPLIT_EDGES) ? S2_E_BLOCK : 0;
}

void edges_split(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint64_t *reserve)
{
	const uint64_t edges[] = { start, end };
	struct step free = step_free(step->shared ? S2_SHARED : 0);

	/* At once, also in a batch: what is to be broken next is below the new tables. */
	if (step->shared) {
		free.op = step->op;
		free.tag = step->tag;
	}
	if (s2->special & S2_RUNS)
		runs_break(s2, start, end);
	/* Both edges may be in one block: ask again before each round. */
	for (int i = 0; i < 2; i++)
		for (int round = 0; round < LAST_LEVEL && edge_tables(s2, edges[i]);
		     round++)
			split_round(s2, &(struct wanted){ true, edges[i] }, &free,
				    edges[i], edges[i] + page_size(s2), reserve);
	if (step->shared)
		step->tag = free.tag;
	step->wait |= free.wait;
}

int settle_edges(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint32_t flags)
{
	uint64_t reserve = 0, n;
	int err = edges_need(s2, start, end, flags, &n);

	if (err || !n)
		return err;
	if (reserve_fill(s2, step->op->cookie, &reserve, n))
		return S2_E_NOMEM;
	edges_split(s2, step, start, end, &reserve);
	reserve_drain(s2, &reserve);
	return step->wait ? S2_MORE : 0;
}

/*
 * Tables to bring the block under the cursor down to pages where it intersects
 * [start, end): at each level one for every part that does.
 */
static uint64_t tables_under(const struct cursor *c, uint64_t start, uint64_t end)
{
	uint64_t base = cursor_base(c), last = base + level_size(c->s2, c->level) - 1;
	uint64_t n = 0;

	if (start < base)
		start = base;
	if (end - 1 < last)
		last = end - 1;
	for (int level = c->level; level < LAST_LEVEL; level++) {
		unsigned shift = level_shift(c->s2, level);

		n += (last >> shift) - (start >> shift) + 1;
	}
	return n;
}

/*
 * What a step will do: how many tables for [op->st.pos, op->st.win_end), and
 * where the next step begins. Without a budget a level-1 block goes down to
 * pages at once. With one it goes down one level, ends the step and comes again
 * as level-2 blocks; otherwise a step takes as many blocks as their tables have
 * entries in the budget. A quarter of the visits counts, three walk again.
 */
static uint64_t count_tables(struct s2 *s2, struct s2_op *op, struct step *step,
			     uint64_t end, uint64_t *next)
{
	const struct wanted all = { false, 0 };
	uint64_t kept = op->max_entries / 4 * 3 + S2_LEVELS;
	uint64_t n = 0, most = op->max_entries / table_entries(s2);
	struct cursor c;

	if (!op->max_entries)
		kept = 0;
	step->entries -= kept;
	cursor_start(&c, s2, step, op->st.pos, end);
	*next = 0;
	while (!*next && next_block(&c, &all)) {
		if (!op->max_entries) {
			n += tables_under(&c, op->st.pos, end);
		} else if (n++, c.level + 1 < LAST_LEVEL) {
			*next = c.ipa;
			c.ipa += page_size(s2);
			break;
		} else if (n >= most) {
			*next = cursor_base(&c) + level_size(c.s2, c.level);
		}
		cursor_next(&c);
	}
	step->entries += kept;
	op->st.win_end = c.ipa < end ? c.ipa : end;
	if (!*next || *next > end)
		*next = op->st.win_end;
	return n;
}

int s2_split(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	const struct wanted all = { false, 0 };
	uint64_t end = ipa.ipa + size, reserve = 0, n, next;
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_SPLIT, ipa.ipa, size, flags,
			       flags);
	if (err)
		return err;
	/* Also when blocks of this range are on their way to be smaller ones. */
	if (op->batch &&
	    (batch_full(op->batch) ||
	     batch_remakes(op->batch, op->st.pos, end - op->st.pos)) &&
	    (!batch_finish(s2, op->batch, op, &step) || !drain_own(s2, op, &step) ||
	     op->max_entries))
		return op_end(s2, op, &step, S2_MORE);
	n = count_tables(s2, op, &step, end, &next);
	if (reserve_fill(s2, op->cookie, &reserve, n))
		return op_end(s2, op, &step, S2_E_NOMEM);
	if (n && s2->special & S2_RUNS)
		runs_break(s2, op->st.pos, op->st.win_end);
	for (int round = 0; reserve && round < LAST_LEVEL; round++) {
		/* What is below a table that the round before made comes after it. */
		if (round && op->batch && !batch_finish(s2, op->batch, op, &step))
			break;
		split_round(s2, &all, &step, op->st.pos, op->st.win_end, &reserve);
	}
	/* Beside others a block may have been taken away. */
	S2_ASSERT(!reserve || step.shared || op->batch);
	reserve_drain(s2, &reserve);
	op->changed += n;
	if (step.wait || !drain_own(s2, op, &step))
		return op_end(s2, op, &step, S2_MORE);
	op->st.pos = next;
	op->done = s2_ipa(next);
	return op_end(s2, op, &step, next < end ? S2_MORE : 0);
}
