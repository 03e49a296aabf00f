/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unmap, from top to bottom: break, invalidate, clean, release.
 *
 * A call works through its range in windows. A window is as much as phase 1 can
 * break within the step's budget, the whole range when there is none; the other
 * phases go over the same window. A step may end in any of them, but never
 * between a break and its invalidation: whatever is busy when nobody holds the
 * lock has been invalidated and waits only for its clean and its release. How
 * far those have come is written in the tables, not in the op, so that another
 * call which meets the place can finish it.
 */
#include "internal.h"

enum { BREAK, FINISH, DRAIN };

/* ---- phase 1: break --------------------------------------------------------- */

/*
 * One write makes the entry invalid, a table with all that is below it: nothing
 * below is read. The marker is not 0: it keeps the output address for the
 * phases after, and holds the place, so that a fault cannot put a new entry
 * there before the TLBI (valid, invalid, valid without an invalidation between
 * is what break-before-make forbids [RWHZWS]).
 */
void break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct gather *g)
{
	uint64_t *meta = cursor_meta(c);

	if (desc_valid(d)) {
		/*
		 * Hardware may set the access flag of a valid leaf at any time: an
		 * exchange loses no update. Table entries it never writes.
		 */
		if (c->s2->features & S2_FEAT_HAFDBS && !desc_is_table(d, c->level))
			s2_port_xchg(c->s2->port, entry, marker);
		else
			s2_port_store(c->s2->port, entry, marker);
		*meta += META_BUSY_ONE - META_LIVE_ONE;
	}
	/*
	 * Busy already: an operation that was begun elsewhere and not finished.
	 * Whoever meets it finishes it, so that "nothing there" is never taken
	 * for "nobody can still use it" (P8).
	 */
	if (desc_is_table(d, c->level)) {
		/*
		 * Leaves of any size may be below, and every cached copy of a
		 * table entry on the way must go: the whole span, no level hint.
		 */
		gather_add(g, cursor_base(c), level_size(c->s2, c->level),
			   page_size(c->s2));
		g->table = true;
		g->clean |= !!(*table_meta(c->s2, s2_port_table_va(c->s2->port,
								   desc_oa(c->s2, d))) &
			       META_CLEAN);
	} else {
		gather_leaf(g, c, d);
	}
}

/*
 * One window being broken. own: entries of the table at each level of the path
 * that are busy since this window.
 */
struct breaking {
	struct cursor c;
	struct gather g;
	struct s2_op *op;
	unsigned own[S2_LEVELS];
};

/*
 * A table with nothing live in it is detached in its turn, so that it is found
 * here and now, without a scan (P11). The page just passed stands for the table
 * entry in the invalidation: a cached table entry goes with any address that it
 * would be used to translate.
 */
static void detach_dead(struct breaking *b, uint64_t page)
{
	struct cursor *c = &b->c;
	struct s2_op *op = b->op;
	uint64_t *meta = cursor_meta(c);
	uint64_t pa = s2_port_table_pa(c->s2->port, c->table[c->level]);
	uint64_t first = (op->st.win >> level_shift(c->s2, c->level)) &
			 (table_entries(c->s2) - 1);
	bool own = meta_busy(*meta) == b->own[c->level];

	c->level--;
	/*
	 * What is busy in it since this window lies in the window: the clean need
	 * not look before it. Not so what another call has broken and not finished:
	 * it goes with the table, so this call finishes it.
	 */
	if (own && cursor_base(c) < op->st.win)
		*meta |= first << META_CLEANED_SHIFT;
	s2_port_store(c->s2->port, cursor_entry(c),
		      desc_make_busy(desc_make_table(c->s2, pa)));
	*cursor_meta(c) += META_BUSY_ONE - META_LIVE_ONE;
	b->own[c->level]++;
	/* If the first marker of the window went with the table, here is another. */
	if (c->step->hint_level > c->level && c->step->hint_ipa >= cursor_base(c))
		c->step->hint_level = (int8_t)c->level;
	if (page < b->g.start || page >= b->g.end)
		gather_add(&b->g, page, page_size(c->s2), page_size(c->s2));
	b->g.table = true;
	b->g.clean |= !!(*meta & META_CLEAN);
	op->changed++;
}

/* On to the next entry, out of every table that ends here or with the range. */
static void break_next(struct breaking *b)
{
	struct cursor *c = &b->c;
	uint64_t page = c->ipa & ~(page_size(c->s2) - 1);
	uint64_t next = cursor_base(c) + level_size(c->s2, c->level);

	while (c->level > c->s2->start_level &&
	       (next >= c->end || !(next & (level_size(c->s2, c->level - 1) - 1)))) {
		if (meta_live(*cursor_meta(c)))
			c->level--;
		else
			detach_dead(b, page);
	}
	c->ipa = next;
}

/* Sets op's window; true when something in it was broken. */
static bool break_window(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end,
			 struct gather *g)
{
	struct breaking b = { .op = op };
	struct cursor *c = &b.c;

	op->st.win = op->st.pos;
	cursor_start(c, s2, step, op->st.pos, end);
	/* No scan of root tables that are known to be empty. */
	while (c->ipa < end && !meta_live(*cursor_meta(c)) && !meta_busy(*cursor_meta(c)))
		c->ipa = (c->ipa | (level_size(s2, c->level - 1) - 1)) + 1;
	while (cursor_more(c)) {
		uint64_t *entry = cursor_entry(c);
		uint64_t d = cursor_load(c, entry), past;

		if (desc_valid_table(d, c->level) && !cursor_covers(c)) {
			cursor_down(c, d);
			b.own[c->level] = 0;
			continue;
		}
		if (desc_valid(d) || desc_busy(d)) {
			if (b.g.start == b.g.end) {
				op->st.win = c->ipa;
				cursor_hint(c);
			}
			b.own[c->level] += desc_valid(d);
			op->changed += desc_valid(d);
			break_entry(c, entry, d, desc_make_busy(d), &b.g);
			/* A block at the edge goes whole (S2_DROP_EDGES). */
			past = cursor_base(c) + level_size(c->s2, c->level);
			if (desc_valid(d) && cursor_base(c) < op->start.ipa)
				op->start.ipa = cursor_base(c);
			if (desc_valid(d) && past > op->end.ipa)
				op->end.ipa = past;
		}
		break_next(&b);
	}
	op->st.win_end = c->ipa < end ? c->ipa : end;
	*g = b.g;
	return g->start < g->end;
}

/* ---- phase 3: clean ----------------------------------------------------------- */

/*
 * The memory behind one broken leaf, as far as the budget goes; true when all
 * of it is clean. What is done of a larger one is kept in its marker.
 */
static bool clean_leaf(const struct cursor *c, uint64_t *entry, uint64_t d)
{
	uint64_t pa = desc_oa(c->s2, d);
	uint64_t left =
		level_size(c->s2, c->level) - (pa & (level_size(c->s2, c->level) - 1));
	uint64_t n = step_bytes(c->s2, c->step, left);

	s2_port_clean(c->s2->port, pa, n, desc_attr(d));
	c->step->bytes -= n;
	if (n == left)
		return true;
	s2_port_store(c->s2->port, entry, desc_make_busy(d) + n);
	return false;
}

/*
 * Into a detached table, at the first entry that nobody has cleaned yet, even if
 * that is before the window: a table is released whole, so it is cleaned whole.
 */
static void clean_down(struct cursor *c, uint64_t d, bool detached)
{
	uint64_t base = cursor_base(c);

	cursor_down(c, d);
	if (detached)
		c->ipa = base + ((uint64_t)meta_cleaned(*cursor_meta(c))
				 << level_shift(c->s2, c->level));
}

/*
 * On to the next entry. A detached table counts how many of its entries are left
 * to clean; with the last one it is done, and its own entry in a table above.
 */
static void clean_next(struct cursor *c, int detached, bool empty)
{
	while (!empty && c->level > detached) {
		uint64_t *meta = cursor_meta(c);

		*meta -= meta_live(*meta) ? META_LIVE_ONE : META_BUSY_ONE;
		if (meta_left(*meta))
			break;
		c->level--;
	}
	cursor_next(c);
}

uint64_t clean_window(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end)
{
	struct cursor c;
	int detached = LAST_LEVEL; /* in a detached table when c.level is beyond */
	/* As many visits are left for the release of what is cleaned. */
	uint64_t stop = (step->entries + 1) / 2, bytes = step->bytes;

	cursor_resume(&c, s2, step, op->st.pos, end);
	while ((c.ipa < end || c.level > detached) && step->entries > stop &&
	       step->bytes >= page_size(s2)) {
		uint64_t *entry = cursor_entry(&c);
		uint64_t d = cursor_load(&c, entry);
		bool busy = desc_busy(d), below = c.level > detached;

		if ((busy || desc_valid(d)) && desc_is_table(d, c.level)) {
			uint64_t *table = s2_port_table_va(s2->port, desc_oa(s2, d));

			/* Not where no leaf below ever needed a clean, or does. */
			if (*table_meta(s2, table) & META_CLEAN &&
			    meta_left(*table_meta(s2, table))) {
				if (busy && !below)
					detached = c.level;
				clean_down(&c, d, busy || below);
				continue;
			}
		} else if ((busy || (below && desc_valid(d))) &&
			   desc_needs_clean(s2->features, d) &&
			   !clean_leaf(&c, entry, d)) {
			break;
		}
		clean_next(&c, detached, !busy && !desc_valid(d));
		if (c.level <= detached)
			detached = LAST_LEVEL;
	}
	/* Stopped inside a detached table: leave word there how far it is clean. */
	for (int l = detached + 1; l <= c.level; l++) {
		uint64_t *meta = table_meta(s2, c.table[l]);
		uint64_t i = (c.ipa >> level_shift(s2, l)) & (table_entries(s2) - 1);

		*meta = (*meta & ~META_CLEANED) | i << META_CLEANED_SHIFT;
	}
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
	return c.ipa < end ? c.ipa : end;
}

/* ---- phase 4: release ----------------------------------------------------------- */

void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level)
{
	uint64_t *meta = table_meta(s2, table), *at = &limbo->head;
	uint64_t link = s2_port_table_pa(s2->port, table) | LINK_PRESENT |
			(uint64_t)level;

	if (meta_tables(*meta))
		link |= LINK_HAS_TABLES;
	/* Behind the first while that is being read. */
	if (limbo->idx)
		at = table_meta(s2, s2_port_table_va(s2->port, link_pa(limbo->head)));
	*meta = *at;
	*at = link;
}

/*
 * The list is the stack: a table with tables below it puts those on the list as
 * they are read and goes itself when all have been. A table without any is
 * never read.
 */
static bool limbo_drain(struct s2 *s2, struct s2_limbo *limbo, struct step *step)
{
	while (limbo->head) {
		uint64_t link = limbo->head;
		int level = (int)(link & LINK_LEVEL);
		uint64_t *table = s2_port_table_va(s2->port, link_pa(link));
		uint64_t *meta = table_meta(s2, table);

		if (link & LINK_HAS_TABLES) {
			while (limbo->idx < table_entries(s2)) {
				uint64_t d, *child;

				if (!step->entries)
					return false;
				step->entries--;
				d = s2_port_load(s2->port, &table[limbo->idx]);
				limbo->idx++;
				if (!(desc_valid(d) || desc_busy(d)) ||
				    !desc_is_table(d, level))
					continue;
				child = s2_port_table_va(s2->port, desc_oa(s2, d));
				if (meta_tables(*table_meta(s2, child)))
					limbo_push(s2, limbo, child, level + 1);
				else
					s2_port_table_free(s2->port, child);
			}
			limbo->idx = 0;
		}
		limbo->head = *meta;
		s2_port_table_free(s2->port, table);
	}
	return true;
}

/*
 * The busy entries up to @to become empty ones. It stops at one that needs a
 * clean and has not had it: a table of which some is left, or in a window of which
 * nothing needed one (@cleaned false) what another call has broken since our last
 * step; that is cleaned next. Returns where it or the step's budget ended.
 */
static uint64_t release_window(struct s2 *s2, struct s2_op *op, struct step *step,
			       uint64_t to, bool cleaned, bool waived)
{
	struct cursor c;

	cursor_resume(&c, s2, step, op->st.pos, to);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *table = NULL;
		uint64_t d = cursor_load(&c, entry);
		bool needs = !cleaned && desc_needs_clean(s2->features, d);

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_busy(d) && desc_is_table(d, c.level)) {
			table = s2_port_table_va(s2->port, desc_oa(s2, d));
			needs = *table_meta(s2, table) & META_CLEAN &&
				meta_left(*table_meta(s2, table));
		}
		if (desc_busy(d) && needs && !waived) {
			op->st.clean = true;
			break;
		}
		if (desc_busy(d)) {
			s2_port_store(s2->port, entry, 0);
			*cursor_meta(&c) -= META_BUSY_ONE;
			if (table) {
				*cursor_meta(&c) -= META_TABLE_ONE;
				limbo_push(s2, op_limbo(op), table, c.level + 1);
			}
		}
		cursor_next(&c);
	}
	return c.ipa;
}

bool finish_window(struct s2 *s2, struct s2_op *op, struct step *step, bool clean,
		   bool waived)
{
	uint64_t to = op->st.win_end;

	if (clean)
		to = clean_window(s2, op, step, to);
	op->st.pos = release_window(s2, op, step, to, clean, waived);
	return op->st.pos >= op->st.win_end;
}

bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step)
{
	return op->limbo || limbo_drain(s2, &op->st.own, step);
}

int s2_release(struct s2 *s2, struct s2_limbo *limbo, struct s2_op *op)
{
	struct step step = { .entries = NO_BUDGET, .bytes = NO_BUDGET, .hint_level = -1 };
	bool done;

	if (op && op->max_entries) {
		if (op->max_entries < S2_BUDGET_ENTRIES_MIN)
			return S2_E_BUDGET;
		step.entries = op->max_entries;
	}
	done = limbo_drain(s2, limbo, &step);
	if (op)
		op->visited =
			(op->max_entries ? op->max_entries : NO_BUDGET) - step.entries;
	return done ? 0 : S2_MORE;
}

/* ---- all four --------------------------------------------------------------------- */

enum extent { BY_RANGE, WHOLE_VMID, NOTHING };

static int unmap_steps(struct s2 *s2, struct s2_op *op, struct step *step, uint32_t flags,
		       enum extent extent)
{
	uint64_t end = op->st.ipa + op->st.size;
	bool waived = flags & S2_NO_CLEAN;
	int err;

	for (;;) {
		switch (op->st.phase) {
		case BREAK: {
			struct gather g;
			bool broken;

			if (op->st.pos >= end)
				return 0;
			if (!step->entries)
				return S2_MORE;
			/* For each window: blocks may have been mapped meanwhile. */
			err = flags & S2_DROP_EDGES ? 0 :
						      settle_edges(s2, op->st.ipa, end,
								   flags, op->cookie);
			if (err)
				return err;
			broken = break_window(s2, op, step, end, &g);
			/*
			 * Phase 2, in the same step: nothing is cleaned or freed
			 * before it, and nobody can get in between.
			 */
			if (extent == BY_RANGE)
				invalidate(s2, &g);
			else if (extent == WHOLE_VMID && broken)
				invalidate_all(s2);
			if (broken) {
				op->st.clean = g.clean && !waived;
				op->st.pos = op->st.win;
				op->st.phase = FINISH;
				break;
			}
			op->st.pos = op->st.win_end;
			op->done = s2_ipa(op->st.pos);
			break;
		}
		case FINISH:
			if (!finish_window(s2, op, step, op->st.clean, waived))
				return S2_MORE;
			/* Not behind a block that was mapped meanwhile. */
			op->st.pos = op->st.win_end;
			op->st.phase = DRAIN;
			break;
		case DRAIN:
			if (!drain_own(s2, op, step))
				return S2_MORE;
			op->done = s2_ipa(op->st.pos < end ? op->st.pos : end);
			op->st.phase = BREAK;
			break;
		}
	}
}

int s2_unmap(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa.ipa, size);

	if (!err && (flags & ~(S2_DROP_EDGES | S2_SPLIT_EDGES | S2_NO_CLEAN) ||
		     (flags & S2_DROP_EDGES && flags & S2_SPLIT_EDGES)))
		err = S2_E_FLAGS;
	if (!err)
		err = op_begin(&op, &local, &step, OP_UNMAP, ipa.ipa, size, flags);
	if (err)
		return err;
	return op_end(op, &step, unmap_steps(s2, op, &step, flags, BY_RANGE));
}

int s2_destroy(struct s2 *s2, uint32_t flags, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	enum extent extent = flags & S2_VMID_UNUSED ? NOTHING : WHOLE_VMID;
	int ret;

	if (flags & ~(S2_NO_CLEAN | S2_VMID_UNUSED) || (op && op->limbo))
		return S2_E_FLAGS;
	ret = op_begin(&op, &local, &step, OP_DESTROY, 0, UINT64_C(1) << s2->ipa_bits,
		       flags);
	if (ret)
		return ret;
	ret = unmap_steps(s2, op, &step, flags | S2_DROP_EDGES, extent);
	if (!ret) {
		/*
		 * The VMID may be given to another guest now. What earlier calls
		 * invalidated is gone; what they had no reason to (an entry that
		 * was relaxed and cached twice) goes here at the latest (P12).
		 */
		if (extent == WHOLE_VMID && !op->changed)
			invalidate_all(s2);
		s2_port_root_free(s2->port, s2->root, s2->root_pages);
	}
	op_end(op, &step, ret);
	if (!ret)
		*s2 = (struct s2){ 0 };
	return ret;
}
