/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables into blocks, everything still mapped, and tables of equal annotations into one
 * annotation: look through a table that its state word says is full, break its entry, and
 * when all of a step are broken invalidate once, then put the blocks in their place. One
 * level after the other, from the pages up, so that what has become blocks can become
 * larger ones.
 */
#include "internal.h"

/* What may differ among the members: hardware writes it, or it says as much. */
static uint64_t may_differ(uint64_t d)
{
	if (S2_USE_NOTES && desc_note(d))
		return 0;
	return DESC_AF | DESC_CONT | (d & DESC_DBM ? DESC_S2AP_W : 0);
}

/*
 * The block at @level that maps what a table of such members does, from the first. Equal
 * annotations are one of that size.
 */
static uint64_t block_of(uint64_t first, int level)
{
	if (S2_USE_NOTES && desc_note(first))
		return first;
	first &= ~DESC_CONT;
	return level + 1 == LAST_LEVEL ? first & ~DESC_TABLE : first;
}

/*
 * One more member of a table below @level; false if it does not continue the others. In
 * *first the first member with what the others add to it: one young, or dirty, member
 * makes the block so.
 */
static inline bool look_member(const struct s2 *s2, uint64_t *first, unsigned idx,
			       uint64_t d, int level)
{
	uint64_t want = *first + ((uint64_t)idx << level_shift(s2, level + 1));

	if (idx)
		return !((d ^ want) & ~may_differ(d));
	*first = d;
	return desc_valid_leaf(d, level + 1) && !desc_counted(s2, d) &&
	       !(desc_oa(s2, d) & (level_size(s2, level) - 1));
}

/*
 * Whether the table at the entry under the cursor may become a block, as far as its
 * state word and a look at its entries tell. *first: as look_member().
 */
static bool look_table(const struct cursor *c, uint64_t *table, uint64_t *first)
{
	const struct s2 *s2 = c->s2;
	uint64_t state = state_of(s2, table_meta(s2, table)), seen = 0, size, want,
		 differ, d;
	unsigned i = 1, n = table_entries(s2);
	/* Shared calls change no annotations. */
	bool notes = S2_USE_NOTES && !is_shared(c->step) && meta_notes(state) == n;

	if ((meta_live(state) != n && !notes) || meta_tables(state) || state & META_DEAD)
		return false;
	step_visits(c->step, 1);
	*first = s2_port_load(s2->port, table);
	if (!notes && !look_member(s2, first, 0, *first, c->level))
		return false;
	size = notes ? 0 : level_size(s2, c->level + 1);
	differ = may_differ(*first);
	for (want = *first + size; i < n; i++, want += size) {
		d = s2_port_load(s2->port, &table[i]);
		if ((d ^ want) & ~differ)
			break;
		seen |= d;
	}
	step_visits(c->step, i < n ? i : n - 1);
	*first |= seen & differ;
	return i == n;
}

/*
 * Beside others the look says only that it is worth while. With the table detached and
 * invalidated each entry is swapped for a marker that says "wait": a change that came
 * before the swap is seen here, one that comes after it fails. False if the table is
 * no longer uniform; it is as it was then.
 */
static bool freeze(const struct cursor *c, uint64_t *table, uint64_t *first)
{
	const struct s2 *s2 = c->s2;
	unsigned n = table_entries(s2), i = 0;

	while (i < n) {
		uint64_t d = cursor_load(c, &table[i]);

		if (!look_member(s2, first, i, d, c->level))
			break;
		if (s2_port_cas(s2->port, &table[i], d,
				desc_make_busy(d | DESC_REMAKE, 0)) != d)
			continue;
		*first |= d & may_differ(d);
		i++;
	}
	if (i == n)
		return true;
	while (i--) {
		uint64_t d = s2_port_load(s2->port, &table[i]);

		s2_port_store(s2->port, &table[i],
			      (d & ~(DESC_BUSY | DESC_REMAKE)) | DESC_VALID);
	}
	return false;
}

/*
 * One level: look, break, invalidate, put the blocks. A step ends where the budget
 * does; as many visits are kept as the second walk takes.
 */
struct collapse {
	struct s2 *s2;
	struct s2_op *op;
	struct step *step;
	int level;
	uint64_t end;
};

/* The table at the entry under the cursor, valid or busy, if it is at the level. */
static uint64_t *table_at(const struct collapse *k, const struct cursor *c, uint64_t d)
{
	if (c->level < k->level || !desc_is_table(d, c->level) ||
	    !(desc_valid(d) || desc_busy(d)))
		return NULL;
	return table_of(k->s2, d);
}

/* Returns where the budget, or the range, ended it. */
static uint64_t break_tables(struct collapse *k, struct s2_gather *g)
{
	struct step *step = k->step;
	/* A table's entries, or the first of them, are read once more. */
	uint64_t again = is_shared(step) ? table_entries(k->s2) : 1;
	uint64_t walked = S2_LEVELS, d, first, *table;
	struct cursor c;

	cursor_start(&c, k->s2, step, k->op->st.pos, k->end);
	while (c.ipa < k->end && !step->wait &&
	       step->entries > walked + table_entries(k->s2) + again + 1) {
		uint64_t *entry = cursor_entry(&c);

		d = cursor_load(&c, entry);
		table = table_at(k, &c, d);
		walked++;
		if (desc_valid_table(d, c.level) && c.level < k->level) {
			cursor_down(&c, d);
			continue;
		}
		if (table && desc_valid(d) && cursor_covers(&c) &&
		    look_table(&c, table, &first)) {
			walked += again;
			/* The young and dirty bits are kept in the marker. */
			if (!break_entry(&c, entry, d,
					 d | DESC_REMAKE | (first & may_differ(first)),
					 g) &&
			    step->wait)
				break;
		}
		cursor_next(&c);
	}
	return cursor_at(&c);
}

static void make_blocks(const struct collapse *k, uint64_t start, uint64_t end)
{
	struct s2 *s2 = k->s2;
	uint64_t d, first, one, *table;
	struct cursor c;

	cursor_start(&c, s2, k->step, start, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c);

		d = cursor_load(&c, entry);
		table = table_at(k, &c, d);
		if (desc_valid_table(d, c.level) && c.level < k->level) {
			cursor_down(&c, d);
			continue;
		}
		if (!table || !desc_busy(d) || desc_tag(d) != k->step->tag) {
			cursor_next(&c);
			continue;
		}
		if (!is_shared(k->step)) {
			first = cursor_load(&c, table);
			first |= d & may_differ(first);
			/*
			 * Hardware may have written to the table after the look, until
			 * the TLBI was complete: more is safe, less is not.
			 */
			if (hw_writes(s2))
				first |= may_differ(first);
		} else if (!freeze(&c, table, &first)) {
			/* As in link_tables(): counted, then linked. */
			state_add(&c, cursor_meta(&c), UINT64_C(0) - META_BUSY_ONE);
			s2_port_store_release(s2->port, entry,
					      desc_make_table(s2, desc_oa(s2, d)));
			/*
			 * Who has emptied it meanwhile could not detach it. A plain load
			 * here may be performed before the store above (the two are to
			 * different places, and a load is not ordered after a store-
			 * release), so that each side misses the other's. An atomic
			 * access is before theirs, and they see the link, or after it.
			 */
			if (!(state_add(&c, table_meta(s2, table), 0) & META_COUNTS))
				window_sweep(s2, k->op, k->step, cursor_base(&c),
					     cursor_base(&c) + page_size(s2));
			cursor_next(&c);
			continue;
		}
		/* Counted first: from the store on others may count it out. */
		one = META_BUSY_ONE + META_TABLE_ONE;
		if (S2_USE_NOTES && desc_note(first))
			one += META_LIVE_ONE - META_NOTE_ONE;
		state_add(&c, cursor_meta(&c), UINT64_C(0) - one);
		/* Broken and invalidated: any valid entry may follow [RWHZWS]. */
		s2_port_store(s2->port, entry, block_of(first, c.level));
		limbo_push(s2, limbo_of(s2, k->op), table, c.level + 1);
		k->op->changed++;
		cursor_next(&c);
	}
	S2_ASSERT(c.ipa >= c.end);
}

static int collapse_steps(struct s2 *s2, struct s2_op *op, struct step *step)
{
	struct collapse k = {
		.s2 = s2, .op = op, .step = step, .end = op->st.ipa + op->st.size
	};

	int top = first_block_level(s2);

	/* The largest blocks that there are, and that the range can hold. */
	while (top < s2->start_level ||
	       (top < LAST_LEVEL - 1 && level_size(s2, top) > op->st.size))
		top++;
	/* op->st.phase counts the levels. */
	for (;;) {
		struct s2_gather g = { 0 };
		uint64_t start = op->st.pos;

		if (!drain_own(s2, op, step))
			return S2_MORE;
		k.level = LAST_LEVEL - 1 - op->st.phase;
		if (k.level < top)
			return 0;
		/* Room for a table, and the way there and back. */
		if (step->wait || step->entries < table_entries(s2) + 4 * S2_LEVELS)
			return S2_MORE;
		op->st.pos = break_tables(&k, &g);
		invalidate(s2, step, &g);
		if (g.start < g.end)
			make_blocks(&k, start, op->st.pos);
		/* What has become a block may become part of a larger one. */
		if (k.level == top)
			op->done = s2_ipa(op->st.pos);
		if (op->st.pos >= k.end) {
			op->st.phase++;
			op->st.pos = op->st.ipa;
		} else if (is_bounded(step)) {
			return S2_MORE;
		}
	}
}

int s2_collapse(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa.ipa, size);

	if (!S2_USE_RESHAPE)
		return S2_E_UNSUPPORTED;
	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	/* A step looks at a whole table. */
	if (!err && op && op->max_entries && op->max_entries < 2 * table_entries(s2))
		err = S2_E_BUDGET;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_COLLAPSE, ipa.ipa, size, 0,
			       flags);
	if (err)
		return err;
	return op_end(s2, op, &step, collapse_steps(s2, op, &step));
}
