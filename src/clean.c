/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cleaning memory: phase 3 of an unmap (unmap.c), and s2_clean(), which unmaps nothing.
 */
#include "internal.h"

/* ---- phase 3: clean ----------------------------------------------------------- */

/*
 * Where a clean is: detached is the level of the entry of the detached table it is
 * in (LAST_LEVEL: in none), left how many entries of each table on the path below
 * that are still to come. The last is known in tables that this call began, and
 * that nobody else counts in.
 */
struct cleaning {
	struct cursor c;
	int detached;
	unsigned left[S2_LEVELS];
};

/*
 * Whether other calls may use what is below the detached table, too: a table there may
 * be one that another call has detached, whose second word and markers are that
 * call's. A shared call writes to neither and relies on neither, for the other's DSB is
 * still to come. It cleans all of it, and how far it is stands in op->st.below.
 */
static bool clean_foreign(const struct cleaning *k)
{
	return k->c.step->shared && k->c.level > k->detached + 1;
}

/* What of the entry's span a shared call has cleaned in earlier steps. */
static uint64_t clean_below(const struct cursor *c)
{
	uint64_t done = c->step->op->st.below - cursor_base(c);

	return done < level_size(c->s2, c->level) ? done : 0;
}

/*
 * Entries behind *entry, which is @d, that are its neighbours in memory, upwards or
 * downwards, with the same attributes. Moves *entry behind them; returns the lowest of
 * their descriptors.
 */
static inline uint64_t memory_run(const struct s2 *s2, uint64_t **entry,
				  const uint64_t *end, uint64_t d, uint64_t size)
{
	uint64_t *first = *entry, *at = first + 1, by = 0, next;

	if (at < end)
		by = s2_port_load(s2->port, at) - d;
	if (by == size || by == UINT64_C(0) - size) {
		next = d + by;
		do
			next += by;
		while (++at < end && s2_port_load(s2->port, at) == next);
	}
	*entry = at;
	return by == size ? d : d - (uint64_t)(at - first - 1) * size;
}

/*
 * A broken leaf in a table that stays, and those behind it that are its neighbours in
 * memory, as one clean. A descriptor that follows from it is that of another marker of
 * this call. False if not all of the first is to be cleaned now.
 */
static bool clean_run(struct cleaning *k, uint64_t *entry, uint64_t d, uint64_t visits)
{
	struct cursor *c = &k->c;
	uint64_t size = level_size(c->s2, c->level), n = cursor_run(c), low;
	uint64_t *past = entry;

	if (n > visits)
		n = visits;
	if (n > c->step->bytes / size)
		n = c->step->bytes / size;
	if (n < 2 || desc_oa(c->s2, d) & (size - 1))
		return false;
	low = memory_run(c->s2, &past, entry + n, d, size);
	n = (uint64_t)(past - entry);
	s2_port_clean(c->s2->port, desc_oa(c->s2, low), n * size, desc_attr(c->s2, d));
	c->step->bytes -= n * size;
	c->step->entries -= n - 1;
	cursor_on(c, n - 1);
	return true;
}

/*
 * The memory behind one broken leaf, as far as the budget goes; true when all
 * of it is clean. What is done of a larger one is kept in its marker, or in the op
 * (see above). A late walker may change what is in a detached table; then it is read
 * again.
 */
static bool clean_leaf(const struct cleaning *k, uint64_t *entry, uint64_t d)
{
	const struct cursor *c = &k->c;
	uint64_t size = level_size(c->s2, c->level), pa = desc_oa(c->s2, d), left, n;
	bool in_op = c->step->shared && c->level > k->detached;

	if (in_op)
		pa = (pa & ~(size - 1)) + clean_below(c);
	left = size - (pa & (size - 1));
	n = step_bytes(c->s2, c->step, left);
	s2_port_clean(c->s2->port, pa, n, desc_attr(c->s2, d));
	c->step->bytes -= n;
	if (n == left)
		return true;
	if (in_op)
		c->step->op->st.below = cursor_base(c) + size - left + n;
	else
		cursor_swap(c, entry, d, (desc_busy(d) ? d : desc_make_busy(d, 0)) + n,
			    false);
	return false;
}

/*
 * Into a detached table, at the first entry that nobody has cleaned yet, even if
 * that is before the window: a table is released whole, so it is cleaned whole.
 */
static void clean_down(struct cleaning *k, uint64_t d, uint64_t state)
{
	struct cursor *c = &k->c;
	uint64_t base = cursor_base(c), first, done = clean_below(c);

	cursor_down(c, d);
	if (c->level <= k->detached)
		return;
	if (clean_foreign(k)) {
		c->ipa = base + (done & ~(level_size(c->s2, c->level) - 1));
		return;
	}
	first = cursor_meta(c)[META_CLEANED];
	k->left[c->level] = meta_live(state) + meta_busy(state);
	c->ipa = base + (first << level_shift(c->s2, c->level));
}

/* On to the next entry; with the last one a detached table is clean. */
static void clean_next(struct cleaning *k, bool empty)
{
	struct cursor *c = &k->c;
	uint64_t mask = table_entries(c->s2) - 1;

	while (c->level > k->detached) {
		uint64_t i = c->ipa >> level_shift(c->s2, c->level);

		if (!empty)
			k->left[c->level]--;
		if ((i & mask) != mask && (c->step->shared || k->left[c->level]))
			break;
		if (!clean_foreign(k))
			cursor_meta(c)[META_CLEANED] = table_entries(c->s2);
		c->level--;
		empty = false;
	}
	if (c->level <= k->detached)
		k->detached = LAST_LEVEL;
	cursor_next(c);
}

/*
 * A detached table of leaves to its end, if the step has so much left: without FWB
 * this is what an unmap does for every page beside the DC itself, so neighbours
 * become one clean, and what their attributes say is asked once. Beside others only
 * pages: anywhere else a late walker may put a table.
 */
static bool clean_table(struct cleaning *k, uint64_t visits)
{
	struct cursor *c = &k->c;
	const struct s2 *s2 = c->s2;
	const uint64_t address = desc_oa_mask(s2), leaf = level_size(s2, c->level);
	uint64_t *entry, *from, *end = c->table[c->level] + table_entries(s2), known = 0;
	unsigned left = k->left[c->level];
	bool needs = false;
	s2_attr_t attr = 0;

	if (c->level < LAST_LEVEL &&
	    (c->step->shared || meta_tables(state_of(s2, cursor_meta(c)))))
		return false;
	entry = from = cursor_entry(c);
	if (visits < (uint64_t)(end - entry) ||
	    c->step->bytes < (uint64_t)(end - entry) * leaf)
		return false;
	while (entry < end && (left || c->step->shared)) {
		uint64_t *first = entry, d = s2_port_load(s2->port, entry), size;

		if (!desc_valid(d) && !desc_busy(d)) {
			entry++;
			continue;
		}
		d = memory_run(s2, &entry, end, d, leaf);
		left -= (unsigned)(entry - first);
		if ((d ^ known) & ~address) {
			known = d;
			needs = desc_needs_clean(s2->features, d);
			attr = desc_attr(s2, d);
		}
		if (!needs)
			continue;
		size = (uint64_t)(entry - first) * leaf;
		s2_port_clean(s2->port, desc_oa(s2, d) & ~(leaf - 1), size, attr);
		c->step->bytes -= size;
	}
	c->step->entries -= (uint64_t)(entry - from);
	/* On the last entry of the table, as if it were the last that was in it. */
	cursor_on(c, (uint64_t)(end - 1 - from));
	k->left[c->level] = 0;
	clean_next(k, true);
	return true;
}

uint64_t clean_range(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end)
{
	struct cleaning k = { .detached = LAST_LEVEL };
	struct cursor *c = &k.c;
	/* As many visits are left for the release of what is cleaned. */
	uint64_t stop = (step->entries + 1) / 2;

	cursor_resume(c, s2, step, op->st.pos, end);
	while ((c->ipa < end || c->level > k.detached) && step->entries > stop &&
	       step->bytes >= page_size(s2)) {
		bool below = c->level > k.detached, ours;
		uint64_t *entry, d;

		if (below && clean_table(&k, step->entries - stop))
			continue;
		entry = cursor_entry(c);
		d = cursor_load(c, entry);
		ours = below || finishes(c, d);

		/* What is below may come back, markers of this call among it. */
		if (step->shared && !below && desc_busy(d) && d & DESC_REMAKE) {
			step->wait = true;
			break;
		}
		if ((desc_busy(d) || desc_valid(d)) && desc_is_table(d, c->level)) {
			uint64_t *meta = table_meta(s2, s2_port_table_va(s2->port,
									 desc_oa(s2, d)));
			uint64_t state = state_of(s2, meta);

			/* Not where no leaf below ever needed a clean, or does. */
			if (step->shared && below ? table_cleanable(state) :
			    ours		  ? table_unclean(s2, meta, state) :
				   desc_valid(d) && table_cleanable(state)) {
				if (ours && !below)
					k.detached = c->level;
				clean_down(&k, d, state);
				continue;
			}
		} else if (ours && (desc_busy(d) || desc_valid(d)) &&
			   desc_needs_clean(s2->features, d) &&
			   (below || step->shared ||
			    !clean_run(&k, entry, d, step->entries - stop)) &&
			   !clean_leaf(&k, entry, d)) {
			break;
		}
		clean_next(&k, !desc_busy(d) && !desc_valid(d));
	}
	/* Stopped inside a detached table: leave word there how far it is clean. */
	for (int l = k.detached + 1; l <= c->level; l++)
		if (!step->shared || l == k.detached + 1)
			table_meta(s2, c->table[l])[META_CLEANED] =
				(c->ipa >> level_shift(s2, l)) & (table_entries(s2) - 1);
	if (clean_foreign(&k) && !clean_below(c))
		op->st.below = c->ipa;
	return c->ipa < end ? c->ipa : end;
}

void clean_barrier(struct s2 *s2, const struct step *step, uint64_t bytes)
{
	/*
	 * The cleans before the caller's reads of that memory, and before its next
	 * owner's writes. They came after the TLBIs' DSB ISH in program order, so
	 * no guest access through an old translation can land behind one. SY, not
	 * ISH: memory that the guest used non-cacheably is outer shareable. A DSB
	 * completes only the cleans of the PE that executes it, and the thread may
	 * move between steps, hence one in each step that cleaned.
	 */
	if (step->bytes < bytes)
		s2_port_dsb_sy(s2->port);
}

/* ---- without an unmap -------------------------------------------------------- */

int s2_clean(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	uint64_t end = ipa.ipa + size, bytes;
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && flags & ~S2_SHARED)
		err = S2_E_FLAGS;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_CLEAN, ipa.ipa, size, flags,
			       flags);
	if (err)
		return err;
	bytes = step.bytes;
	cursor_start(&c, s2, &step, op->st.pos, end);
	while (cursor_more(&c) && step.bytes >= page_size(s2)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c));
		uint64_t in = c.ipa - cursor_base(&c), left, n;

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_valid(d) && desc_needs_clean(s2->features, d)) {
			left = level_size(c.s2, c.level) - in;
			if (left > end - c.ipa)
				left = end - c.ipa;
			n = step_bytes(s2, &step, left);
			s2_port_clean(s2->port, desc_oa(s2, d) + in, n, desc_attr(s2, d));
			step.bytes -= n;
			if (n < left) {
				c.ipa += n;
				break;
			}
		}
		cursor_next(&c);
	}
	/* Nothing was unmapped, so what it says of owners and TLBIs is not meant here. */
	clean_barrier(s2, &step, bytes);
	op->st.pos = c.ipa < end ? c.ipa : end;
	op->done = s2_ipa(op->st.pos);
	return op_end(s2, op, &step, op->st.pos < end ? S2_MORE : 0);
}
