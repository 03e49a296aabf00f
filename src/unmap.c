/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unmap, from top to bottom: break (break.c), invalidate (inval.c), clean, release.
 *
 * A call works through its range in windows. Without a budget a window is the whole
 * range. With one it is what phase 1 breaks within a third of the visits, so that the
 * phases after it, which visit the same entries, fit into the step. All four phases run
 * over a window before the call returns. So between two calls no marker is in the tables,
 * but for a parked leaf (below) and for those of an open batch (batch.c).
 *
 * Shared calls (S2_SHARED) do the same by compare-and-swap and finish only what they
 * broke themselves: docs/concurrency.md has the protocol.
 */
#include "internal.h"

/* ---- phase 3: clean ----------------------------------------------------------- */

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

/*
 * Entries behind *entry, which is @d, that are its neighbours in memory, upwards or
 * downwards, with the same attributes. Moves *entry behind them; returns the lowest of
 * their descriptors.
 */
static inline uint64_t memory_run(const struct s2 *s2, uint64_t **entry,
				  const uint64_t *end, uint64_t d, uint64_t size)
{
	uint64_t *first = *entry, *at = first + 1, by = 0;

	if (S2_USE_FAST && at < end)
		by = s2_port_load(s2->port, at) - d;
	if (by == size || by == UINT64_C(0) - size)
		at = leaves_from(s2, at + 1, end, d + by, by);
	*entry = at;
	return by == size ? d : d - (uint64_t)(at - first - 1) * size;
}

/*
 * The step has not enough bytes left for the block under the cursor, the last that the
 * window has broken. The block stays in the table as a marker that counts what of it is
 * clean, and the next step, or whoever meets it, goes on (finish_parked()). The tables on
 * its path say so, so that no call which waives the clean detaches it unread.
 */
static void park_leaf(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t cleaned)
{
	s2_port_store(c->s2->port, entry, desc_make_parked(d) + cleaned);
	state_add(c, cursor_meta(c), META_LIVE_ONE - META_BUSY_ONE);
	for (; c->level >= c->s2->start_level; cursor_up(c))
		state_flag(c, cursor_meta(c), META_PARKED);
}

/*
 * Leaves and holes from the cursor to the end of its table or window, or to a table. What
 * the attributes say is asked once of consecutive entries with the same ones, and
 * neighbours in memory are one clean. @which: one of these bits says that a leaf is to be
 * cleaned, if its type asks for it. False if a leaf has been parked.
 */
static bool clean_leaves(struct cursor *c, uint64_t *entry, uint64_t which)
{
	struct s2 *s2 = c->s2;
	const uint64_t address = desc_oa_mask(s2), size = cursor_size(c);
	uint64_t *from = entry, known = 0, n = cursor_run(c, c->step->entries);
	const uint64_t *end = entry + (n ? n : 1);
	bool needs = false;
	s2_attr_t attr = 0;

	while (entry < end) {
		uint64_t *first = entry, d = s2_port_load(s2->port, entry), done;

		if ((d ^ known) & ~address) {
			known = d;
			if (!desc_valid(d) && !desc_busy(d))
				needs = false;
			else if (desc_is_table(d, c->level))
				break;
			else
				needs = d & which && desc_needs_clean(s2->features, d);
			attr = desc_attr(s2, d);
		}
		if (!needs) {
			entry++;
			continue;
		}
		d = memory_run(s2, &entry, end, d, size);
		/* Of a parked leaf the rest. */
		done = desc_oa(s2, d) & (size - 1);
		n = step_bytes(s2, c->step, (uint64_t)(entry - first) * size - done);
		s2_port_clean(s2->port, desc_oa(s2, d), n, attr);
		c->step->bytes -= n;
		if (S2_USE_STEPS && n < size - done) {
			park_leaf(c, first, d, n);
			return false;
		}
	}
	step_visits(c->step, (uint64_t)(entry - from) - 1);
	cursor_on(c, (uint64_t)(entry - from) - 1);
	cursor_next(c);
	return true;
}

/*
 * The memory of every leaf in [start, end) that is broken, or that lies below a detached
 * table. Another call's markers are cleaned as well, those below a table that it has
 * detached among them: this call promises that the memory is clean and does not wait for
 * the other. If this call waives the clean: of the leaves below a detached table those
 * whose clean another owes. Who comes later does not find them, nor waits for the other.
 * Returns where it stopped: at a leaf that it has parked, or the end.
 */
uint64_t window_clean(struct window *w, uint64_t start, uint64_t end)
{
	/* By level of the path: one of these bits says that a leaf is cleaned. */
	uint64_t which[S2_LEVELS];
	struct cursor c;

	cursor_start(&c, w->s2, w->step, start, end);
	which[c.level] = w->flags & S2_NO_CLEAN ? 0 : DESC_BUSY;
	while (cursor_more(&c)) {
		uint64_t *entry, d, below = which[c.level];

		if (held_down(w, &c)) {
			which[c.level] = below;
			continue;
		}
		entry = cursor_entry(&c);
		d = cursor_load(&c, entry);
		if ((desc_valid(d) || desc_busy(d)) && desc_is_table(d, c.level)) {
			uint64_t state = state_below(w->s2, d);

			if (d & below)
				below = DESC_VALID | DESC_BUSY;
			else if (!below && releases(&c, d))
				below = DESC_OWED;
			if (meta_cleanable(state) &&
			    (state & w->unclean || below & DESC_VALID)) {
				cursor_down(&c, d);
				which[c.level] = below;
				continue;
			}
			cursor_next(&c);
		} else if (!clean_leaves(&c, entry, below)) {
			end = c.ipa;
			w->op->st.parked = end + 1;
			break;
		}
	}
	return end;
}

/* ---- phase 4: release ----------------------------------------------------------- */

/*
 * Consecutive markers behind one that has been released, in one loop. Beside others
 * entries are not alike.
 */
static void release_run(struct cursor *c, struct s2_limbo *limbo, uint64_t *entry,
			uint64_t like)
{
	const uint64_t *end = entry + cursor_run(c, c->step->entries);
	uint64_t kind = desc_kind(like), n = 0, *at = entry + 1;
	const uint64_t mask = desc_oa_mask(c->s2);
	const unsigned wide = wide_of(c->s2);
	bool tables = desc_is_table(like, c->level);

	if (!S2_USE_FAST || is_shared(c->step))
		return;
	for (; at < end; at++) {
		uint64_t d = s2_port_load(c->s2->port, at);

		if (!d)
			continue;
		if ((d ^ like) & kind)
			break;
		if (tables)
			limbo_push(c->s2, limbo, table_in(c->s2, mask, wide, d),
				   c->level + 1);
		s2_port_store(c->s2->port, at, 0);
		n++;
	}
	state_add(c, cursor_meta(c),
		  UINT64_C(0) - n * (META_BUSY_ONE + (tables ? META_TABLE_ONE : 0)));
	step_visits(c->step, (uint64_t)(at - entry - 1));
	cursor_on(c, (uint64_t)(at - entry - 1));
}

/* The markers of this call in [start, end) become empty entries; tables go to limbo. */
void window_release(struct window *w, uint64_t start, uint64_t end)
{
	struct s2_limbo *limbo = limbo_of(w->s2, w->op);
	struct cursor c;

	cursor_start(&c, w->s2, w->step, start, end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), one;
		uint64_t d = cursor_load(&c, entry);

		/* All that a shared call broke is in tables that it holds. */
		if (desc_valid_table(d, c.level) && !is_shared(w->step) &&
		    !(only_notes(w) && cursor_covers(&c) &&
		      !(state_below(w->s2, d) & META_NOTED))) {
			cursor_down(&c, d);
			continue;
		}
		if (releases(&c, d)) {
			one = META_BUSY_ONE;
			s2_port_store(w->s2->port, entry, 0);
			if (desc_is_table(d, c.level)) {
				one += META_TABLE_ONE;
				limbo_push(w->s2, limbo, table_of(w->s2, d), c.level + 1);
			}
			state_add(&c, cursor_meta(&c), UINT64_C(0) - one);
			release_run(&c, limbo, entry, d);
			/* Another's entry was in it when phase 1 looked, and is gone. */
			if ((is_shared(w->step) || open_batch(w->s2)) &&
			    c.level > w->s2->start_level &&
			    !(state_of(w->s2, cursor_meta(&c)) &
			      (META_COUNTS | META_DEAD)))
				w->emptied = true;
		}
		/*
		 * Also below a table that it has detached itself: a late call may have
		 * the same tag, and must not take a marker for its own.
		 */
		if (!held_down(w, &c))
			cursor_next(&c);
	}
	S2_ASSERT(c.ipa >= end);
}

/* ---- all four --------------------------------------------------------------------- */

void window_run(struct window *w)
{
	uint64_t bytes;

	break_window(w);
	bytes = w->step->bytes;
	if (S2_USE_BATCH && w->batch) {
		const struct s2_op *op = w->op;

		/* A block that is dropped whole waits for the flush with all of it. */
		if (w->found)
			batch_add(w->batch, &w->g,
				  op->start.ipa < op->st.ipa ? op->start.ipa : w->from,
				  op->end.ipa > w->to ? op->end.ipa : w->to, w->clean);
		return;
	}
	/*
	 * Phase 2 before anything is cleaned or freed, and in the same call: nobody can
	 * get in between.
	 */
	if (w->extent == BY_RANGE) {
		invalidate(w->s2, w->step, &w->g);
	} else if (w->extent == WHOLE_VMID && w->found) {
		invalidate_all(w->s2);
		w->op->st.ended = true;
	}
	/* Beside others leaves were put below a table until the DSB: look now. */
	w->clean |= is_shared(w->step) && w->g.table;
	if (w->clean) {
		w->to = window_clean(w, w->from, w->to);
		clean_barrier(w->s2, w->step, bytes);
	}
	/* An empty table, which is all that a sweep detaches, has no counted leaves. */
	if (S2_USE_COUNTED && w->found && !only_notes(w))
		window_tell(w, w->from, w->to);
	if (w->found)
		window_release(w, w->from, w->to);
}

void window_init(struct window *w, struct s2 *s2, struct s2_op *op, struct step *step,
		 uint64_t start, uint64_t end, uint32_t flags)
{
	w->s2 = s2;
	w->step = step;
	w->op = op;
	w->target = NULL;
	w->start = start;
	w->end = end;
	w->flags = flags;
	w->extent = BY_RANGE;
	w->unclean = META_CLEAN;
	if (flags & S2_NO_CLEAN)
		w->unclean = is_shared(step) ? META_PARKED | META_OWED : META_PARKED;
	w->batch = NULL;
	w->apart = LAST_LEVEL;
	w->edge = w->emptied = w->found = w->clean = false;
	w->g = (struct s2_gather){ 0 };
	w->n_held = 0;
}

__attribute__((__noinline__)) void window_sweep(struct s2 *s2, struct s2_op *op,
						struct step *step, uint64_t start,
						uint64_t end)
{
	struct window w;

	window_init(&w, s2, op, step, start, end,
		    S2_ONLY_NOTES | S2_KEEP_NOTES | S2_NO_CLEAN);
	window_run(&w);
	/* What it releases itself may be the last in a table, too, one level up. */
	for (int level = LAST_LEVEL; S2_USE_TAGS && w.emptied && --level;) {
		window_init(&w, w.s2, w.op, w.step, w.start, w.end, w.flags);
		window_run(&w);
	}
}

/*
 * Go on with the leaf that an earlier step has parked, before anything that may fail: an
 * operation that ends with an error leaves no leaf behind that nobody cleans. False if
 * there is more of it.
 */
bool parked_done(struct s2 *s2, struct s2_op *op, struct step *step)
{
	uint64_t ipa = op->st.parked - 1;
	struct place p;
	struct window w;

	if (!S2_USE_STEPS || !op->st.parked)
		return true;
	p = walk_any(s2, ipa);
	if (desc_parked(p.d)) {
		window_init(&w, s2, op, step, ipa,
			    (ipa | (level_size(s2, p.level) - 1)) + 1, S2_DROP_EDGES);
		window_run(&w);
		if (w.to < w.end)
			return false;
	}
	op->st.parked = 0;
	return true;
}

/*
 * From op->st.pos to @end, or as far as one window goes; whether a block lay across an
 * edge. Not inline: no other window, or the edges' work, is to have it on the stack.
 */
static __attribute__((__noinline__)) bool unmap_window(struct s2 *s2, struct s2_op *op,
						       struct step *step, uint64_t end,
						       uint32_t flags, enum extent extent,
						       bool *emptied)
{
	struct window w;

	window_init(&w, s2, op, step, op->st.pos, end, flags);
	w.extent = extent;
	w.batch = batch_of(op);
	window_run(&w);
	*emptied = w.emptied;
	op->st.pos = w.to;
	op->done = s2_ipa(w.to < end ? w.to : end);
	return w.edge;
}

int unmap_steps(struct s2 *s2, struct s2_op *op, struct step *step, uint32_t flags,
		enum extent extent)
{
	uint64_t end = op->st.ipa + op->st.size, pos;
	bool worked = false, emptied;
	int err;

	/* Beside others blocks may come to the edges again and again: a few times. */
	for (int edges = 0; edges < 4;) {
		/* In this order: an error below ends the operation, and frees nothing. */
		if (!parked_done(s2, op, step) || !drain_own(s2, op, step))
			return S2_MORE;
		if (op->st.pos >= end)
			return 0;
		/* One window a step, and only where there is room for its phases. */
		if (step->wait ||
		    (is_bounded(step) && (worked || step->entries < op->max_entries / 2)))
			return S2_MORE;
		if (!(flags & (S2_DROP_EDGES | S2_ONLY_NOTES))) {
			err = settle_edges(s2, step, op->st.pos, end, flags);
			if (err)
				return err;
		}
		if (has_runs(s2) && !(flags & S2_ONLY_NOTES)) {
			run_break(s2, op->st.pos);
			run_break(s2, end);
		}
		pos = op->st.pos;
		edges += unmap_window(s2, op, step, end, flags, extent, &emptied);
		if (S2_USE_TAGS && emptied) {
			window_sweep(s2, op, step, pos, op->st.pos);
			/* Without a tag it detaches nothing. */
			if (step->wait)
				return S2_MORE;
		}
		worked = true;
	}
	return S2_MORE;
}

int unmap_range(struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = 0;

	if (flags & ~(S2_DROP_EDGES | S2_SPLIT_EDGES | S2_NO_CLEAN | S2_KEEP_NOTES |
		      S2_SHARED) ||
	    (flags & S2_DROP_EDGES && flags & S2_SPLIT_EDGES) ||
	    (flags & S2_SHARED && (log_of(op) || flags & S2_KEEP_NOTES)))
		err = S2_E_FLAGS;
	if (!err && ((!S2_USE_NOTES && flags & S2_KEEP_NOTES) ||
		     (!S2_USE_RESHAPE && flags & S2_SPLIT_EDGES)))
		err = S2_E_UNSUPPORTED;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_UNMAP, ipa, size, 0, flags);
	if (err)
		return err;
	return op_end(s2, op, &step, unmap_steps(s2, op, &step, flags, BY_RANGE));
}

int s2_destroy(struct s2 *s2, uint32_t flags, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	enum extent extent = flags & S2_VMID_UNUSED ? NOTHING : WHOLE_VMID;
	int ret;

	if (flags & ~(S2_NO_CLEAN | S2_VMID_UNUSED) || (op && op->limbo))
		return S2_E_FLAGS;
	ret = op_begin(s2, &op, &local, &step, OP_DESTROY, 0, s2->ipa_end, 0, flags);
	if (ret)
		return ret;
	ret = unmap_steps(s2, op, &step, flags | S2_DROP_EDGES, extent);
	/*
	 * The VMID may be given to another guest now. What earlier calls invalidated is
	 * gone; what they had no reason to (an entry that was relaxed and cached twice)
	 * goes here at the latest (P12).
	 */
	if (!ret && extent == WHOLE_VMID && !op->st.ended)
		invalidate_all(s2);
	/* Or again, when the agents have let go. */
	if (S2_USE_AGENTS && !ret && s2->stuck.head)
		ret = S2_E_AGENTS;
	ret = op_end(s2, op, &step, ret);
	if (!ret) {
		s2_port_root_free(s2->port, s2->root, s2->root_pages);
		*s2 = (struct s2){ 0 };
	}
	return ret;
}
