/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables into blocks, everything still mapped: look through a table that its state
 * word says is full, break its entry, and when all of a step are broken invalidate
 * once, then put the blocks in their place. One level after the other, from the
 * pages up, so that what has become blocks can become larger ones.
 */
#include "internal.h"

/* So often a table is looked through again because another call came in between. */
#define LOOKS_MAX 4

/* What may differ among the members: hardware writes it, or it says as much. */
static uint64_t may_differ(uint64_t d)
{
	return DESC_AF | DESC_CONT | (d & DESC_DBM ? DESC_S2AP_W : 0);
}

/* The block at @level that maps what a table of such members does, from the first. */
static uint64_t block_of(uint64_t first, int level)
{
	first &= ~DESC_CONT;
	return level + 1 == LAST_LEVEL ? first & ~DESC_TABLE : first;
}

/*
 * A table being looked through: its first member with what the others add to it (one
 * young, or dirty, member makes the block so), and how far the look has come.
 */
struct looking {
	uint64_t first;
	unsigned idx;
};

/* One more member; false if it does not continue the others. */
static bool look_member(const struct s2 *s2, struct looking *k, uint64_t d, int level)
{
	uint64_t want = k->first + ((uint64_t)k->idx << level_shift(s2, level));

	if (!desc_valid_leaf(d, level))
		return false;
	if (!k->idx) {
		k->first = d;
		if (desc_oa(s2, d) & (level_size(s2, level - 1) - 1))
			return false;
	} else if ((d ^ want) & ~may_differ(d)) {
		return false;
	}
	k->first |= d & may_differ(d);
	k->idx++;
	return true;
}

/* The members up to @end, as look_member(); *visits: how many were looked at. */
static bool look_members(const struct s2 *s2, struct looking *k, const uint64_t *table,
			 unsigned end, int level, uint64_t *visits)
{
	uint64_t size = level_size(s2, level), differ, want, d, seen = 0;
	unsigned from = k->idx, i;

	*visits = 1;
	if (!from && !look_member(s2, k, s2_port_load(s2->port, table), level))
		return false;
	differ = may_differ(k->first);
	want = k->first + ((uint64_t)k->idx << level_shift(s2, level));
	for (i = k->idx; i < end; i++, want += size) {
		d = s2_port_load(s2->port, &table[i]);
		if ((d ^ want) & ~differ)
			break;
		seen |= d;
	}
	*visits = i - from + (i < end);
	k->first |= seen & differ;
	k->idx = i;
	return i == end;
}

/*
 * Whether the table below the entry under the cursor may become a block, as far as
 * its state word tells.
 */
static bool table_full(const struct cursor *c, uint64_t *table)
{
	uint64_t state = state_of(c->s2, table_meta(c->s2, table));

	return meta_live(state) == table_entries(c->s2) && !meta_tables(state) &&
	       !(state & META_DEAD);
}

/*
 * Look through a table as far as the budget goes. In op->st between steps: win, the
 * first byte of the table it stopped in; published, the first member; pos, the next;
 * reserved, how often it has begun again. What was seen in another step holds if no call
 * has come in between (s2->look is still this look's number), else it begins again; where
 * one always does the table is left as it is rather than looked at for ever.
 */
enum look { LOOK_NO, LOOK_YES, LOOK_MORE };

static enum look look_table(const struct cursor *c, struct s2_op *op, uint64_t *table,
			    uint64_t kept, uint64_t *first)
{
	struct s2 *s2 = c->s2;
	struct looking k = { 0 };
	uint64_t visits;
	bool same;

	if (!op->st.published || c->ipa != op->st.win) {
		op->st.reserved = 0;
	} else if (op->st.look == s2->look) {
		k.first = op->st.published;
		k.idx = (unsigned)((op->st.pos - cursor_base(c)) >>
				   level_shift(s2, c->level + 1));
	} else if (++op->st.reserved > LOOKS_MAX) {
		op->st.published = 0;
		return LOOK_NO;
	}
	op->st.published = 0;
	while (k.idx < table_entries(s2)) {
		unsigned n = table_entries(s2) - k.idx;

		if (c->step->entries <= kept) {
			op->st.published = c->step->shared ? 0 : k.first;
			op->st.pos = cursor_base(c) +
				     ((uint64_t)k.idx << level_shift(s2, c->level + 1));
			return LOOK_MORE;
		}
		if (n > c->step->entries - kept)
			n = (unsigned)(c->step->entries - kept);
		same = look_members(s2, &k, table, k.idx + n, c->level + 1, &visits);
		c->step->entries -= visits;
		if (!same)
			return LOOK_NO;
	}
	*first = k.first;
	return LOOK_YES;
}

/*
 * Beside others the look says only that it is worth while. With the table detached and
 * invalidated each entry is swapped for a marker that says "wait": a change that came
 * before the swap is seen here, one that comes after it fails. False if the table is
 * no longer uniform; it is as it was then.
 */
static bool freeze(const struct cursor *c, uint64_t *table, uint64_t *first)
{
	struct s2 *s2 = c->s2;
	struct looking k = { 0 };
	bool same = true;

	while (same && k.idx < table_entries(s2)) {
		uint64_t *entry = &table[k.idx];
		uint64_t d = cursor_load(c, entry);

		same = look_member(s2, &k, d, c->level + 1);
		if (same && s2_port_cas(s2->port, entry, d,
					desc_make_busy(d | DESC_REMAKE, 0)) != d) {
			same = false;
			k.idx--;
		}
	}
	*first = k.first;
	for (unsigned i = 0; !same && i < k.idx; i++) {
		uint64_t d = s2_port_load(s2->port, &table[i]);

		s2_port_store(s2->port, &table[i],
			      (d & ~(DESC_BUSY | DESC_REMAKE)) | DESC_VALID);
	}
	return same;
}

/*
 * One level: look, break, invalidate, put the blocks. A step ends where the budget
 * does; as many visits are kept as the second walk takes.
 */
struct collapse {
	struct s2 *s2;
	struct s2_op *op;
	struct step *step;
	bool direct; /* without a break: replace_table() */
	int level;
	uint64_t end;
	struct s2_limbo gone; /* replaced already, to be released when invalidated */
};

/*
 * With FEAT_BBM level 2 the block may follow the table without a break: a PE may hold
 * both until the TLBI, and both say the same [RPVTFW]. That it may end in a conflict
 * abort is the embedder's to handle, who says so by the feature bit. Hardware may still
 * write to the table until the TLBI is complete, so the block is young, and dirty.
 */
static void replace_table(struct collapse *k, struct cursor *c, uint64_t d,
			  uint64_t *table, uint64_t first, struct s2_gather *g)
{
	if (k->s2->features & S2_FEAT_HAFDBS)
		first |= may_differ(first);
	s2_port_store(k->s2->port, cursor_entry(c), block_of(first, c->level));
	state_add(c, cursor_meta(c), UINT64_C(0) - META_TABLE_ONE);
	gather_entry(g, c, d);
	limbo_push(k->s2, &k->gone, table, c->level + 1);
	k->op->changed++;
}

/* The entry under the cursor; the table below it if it is at the level, else NULL. */
static uint64_t *table_at(const struct collapse *k, const struct cursor *c, uint64_t *d)
{
	*d = cursor_load(c, cursor_entry(c));
	if (c->level < k->level || !desc_is_table(*d, c->level) ||
	    !(desc_valid(*d) || desc_busy(*d)))
		return NULL;
	return s2_port_table_va(k->s2->port, desc_oa(k->s2, *d));
}

/* False when the budget ended it inside a table. */
static bool break_tables(struct collapse *k, struct s2_gather *g)
{
	struct s2_op *op = k->op;
	struct step *step = k->step;
	/* The second walk, and its look at each table: at the first entry, or all. */
	uint64_t again = step->shared ? table_entries(k->s2) : 1;
	uint64_t walked = S2_LEVELS, d, first, *table;
	enum look look;
	struct cursor c;

	cursor_start(&c, k->s2, step, op->st.win, k->end);
	while (c.ipa < k->end && step->entries > walked + 2 && !step->wait) {
		table = table_at(k, &c, &d);
		walked++;
		if (desc_valid_table(d, c.level) && c.level < k->level) {
			cursor_down(&c, d);
			continue;
		}
		if (table && desc_valid(d) && cursor_covers(&c) &&
		    table_full(&c, table)) {
			look = look_table(&c, op, table, walked + again, &first);
			if (look == LOOK_MORE) {
				op->st.win_end = c.ipa;
				return false;
			}
			walked += look == LOOK_YES ? again : 0;
			if (look == LOOK_YES && k->direct)
				replace_table(k, &c, d, table, first, g);
			/* The young and dirty bits are kept in the marker. */
			else if (look == LOOK_YES &&
				 !break_entry(&c, cursor_entry(&c), d,
					      d | DESC_REMAKE |
						      (first & may_differ(first)),
					      g) &&
				 step->wait)
				break;
		}
		cursor_next(&c);
	}
	op->st.win_end = c.ipa < k->end ? c.ipa : k->end;
	return true;
}

static void make_blocks(const struct collapse *k, uint64_t start, uint64_t end)
{
	struct s2 *s2 = k->s2;
	uint64_t d, first, *table;
	struct cursor c;

	cursor_start(&c, s2, k->step, start, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c);

		table = table_at(k, &c, &d);
		if (desc_valid_table(d, c.level) && c.level < k->level) {
			cursor_down(&c, d);
			continue;
		}
		if (!table || !desc_busy(d) || !(d & DESC_REMAKE) ||
		    !cursor_owns(&c, d)) {
			cursor_next(&c);
			continue;
		}
		if (!k->step->shared) {
			first = cursor_load(&c, table);
			first |= d & may_differ(first);
			/*
			 * Hardware may have written to the table after the look, until
			 * the TLBI was complete: more is safe, less is not.
			 */
			if (s2->features & S2_FEAT_HAFDBS)
				first |= may_differ(first);
		} else if (!freeze(&c, table, &first)) {
			/* As in link_remade(): counted, then filled, then linked. */
			state_add(&c, cursor_meta(&c), UINT64_C(0) - META_BUSY_ONE);
			s2_port_store_release(s2->port, entry,
					      desc_make_table(s2, desc_oa(s2, d)));
			cursor_next(&c);
			continue;
		}
		/* Counted first: from the store on others may count it out. */
		state_add(&c, cursor_meta(&c),
			  UINT64_C(0) - META_BUSY_ONE - META_TABLE_ONE);
		/* Broken and invalidated: any valid entry may follow [RWHZWS]. */
		s2_port_store(s2->port, entry, block_of(first, c.level));
		limbo_push(s2, op_limbo(k->op), table, c.level + 1);
		k->op->changed++;
		cursor_next(&c);
	}
}

static int collapse_steps(struct s2 *s2, struct s2_op *op, struct step *step)
{
	struct collapse k = {
		.s2 = s2,
		.op = op,
		.step = step,
		.direct = s2->features & S2_FEAT_BBM2 && !step->shared,
		.end = op->st.ipa + op->st.size,
	};

	/* op->st.phase counts the levels. */
	for (;;) {
		struct s2_gather g = { 0 };
		uint64_t start = op->st.win;
		bool whole;

		if (!drain_own(s2, op, step))
			return S2_MORE;
		k.level = LAST_LEVEL - 1 - op->st.phase;
		if (k.level < first_block_level(s2) || k.level < s2->start_level)
			return 0;
		if (step->wait || step->entries < op->max_entries / 2)
			return S2_MORE;
		whole = break_tables(&k, &g);
		invalidate(s2, step, &g);
		limbo_move(s2, op_limbo(op), &k.gone);
		if (g.start < g.end && !k.direct)
			make_blocks(&k, start, op->st.win_end);
		op->st.win = op->st.win_end;
		if (!op->st.phase)
			op->done = s2_ipa(op->st.win);
		if (!whole) {
			/* Beside others no look is gone on with. */
			if (!step->shared)
				op->st.look = s2->look = ++s2->looks;
			return S2_MORE;
		}
		/* Not of a table that had a hole when it was come back to. */
		op->st.published = 0;
		if (op->st.win >= k.end) {
			op->st.phase++;
			op->st.win = op->st.ipa;
		}
	}
}

int s2_collapse(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && (flags & ~S2_SHARED || (flags & S2_SHARED && !(op && op->limbo))))
		err = S2_E_FLAGS;
	/* A shared call cannot leave a table half looked through. */
	if (!err && flags & S2_SHARED && op->max_entries &&
	    op->max_entries < 3 * table_entries(s2))
		err = S2_E_BUDGET;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_COLLAPSE, ipa.ipa, size, flags,
			       flags);
	if (err)
		return err;
	return op_end(s2, op, &step, collapse_steps(s2, op, &step));
}
