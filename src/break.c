/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Phase 1 of an unmap: break. Each topmost table wholly inside the window is detached by
 * one write, and nothing below it is read. Leaves at the edges are broken one by one.
 */
#include "internal.h"

/* A window being broken. */
struct breaking {
	struct cursor c;
	struct window *w;
	uint64_t stop;	/* visits kept for the phases that follow */
	uint64_t bytes; /* that phase 3 may still clean */
	uint64_t lost;	/* flags of tables that are not detached unread */
	uint64_t owed;	/* DESC_OWED, if others must know that this call cleans */
	bool full;
	/* Entries of the table at each level of the path that are busy since now. */
	unsigned own[S2_LEVELS];
};

/*
 * The flags of a state word for which what lies below a table must not be detached
 * unread.
 */
static uint64_t not_unread(const struct window *w)
{
	uint64_t lost = 0;

	/* A shared call changes no annotations that stay, so it leaves none behind. */
	if (S2_USE_NOTES && w->flags & (S2_KEEP_NOTES | S2_ONLY_NOTES) &&
	    !is_shared(w->step))
		lost |= META_NOTED;
	if (only_notes(w))
		return lost;
	/*
	 * Hardware may record writes in a detached table until the TLBI is complete, so
	 * with a log each leaf's state is taken by the swap that breaks the leaf.
	 */
	if (log_of(w->op))
		lost |= META_DBM;
	/* What stays in place is below them. */
	if (S2_USE_REPLACE && w->target && !(w->flags & S2_MAP_REPLACE))
		lost |= META_COUNTS;
	/* With a budget no clean may have to stop inside a detached table; no report. */
	if (is_bounded(w->step))
		lost |= w->flags & S2_NO_CLEAN ? META_PARKED : META_CLEAN;
	if (S2_USE_COUNTED && is_bounded(w->step))
		lost |= META_COUNTED;
	/*
	 * The flush cleans all of a range or nothing: what is waived has nothing to
	 * clean.
	 */
	if (S2_USE_BATCH && w->batch && w->flags & S2_NO_CLEAN)
		lost |= META_PARKED;
	return lost;
}

static bool leaf_to_clean(const struct window *w, uint64_t d)
{
	return !(w->flags & S2_NO_CLEAN) && desc_needs_clean(w->s2->features, d);
}

/* There is something for phases 3 and 4, from @ipa on. */
static void window_found(struct window *w, uint64_t ipa, bool clean)
{
	if (!w->found)
		w->from = ipa;
	w->found = true;
	w->clean |= clean;
}

/*
 * A table with nothing live in it is detached in its turn, so that it is found here and
 * now, without a scan (P11). It may hold markers of this call, or of this call's batch,
 * and no others: who broke those would not find them. The page just passed stands for
 * the table entry in the invalidation: a cached table entry goes with any address that it
 * would be used to translate.
 */
static void detach_dead(struct breaking *b, uint64_t page)
{
	struct cursor *c = &b->c;
	struct window *w = b->w;
	uint64_t *meta = cursor_meta(c), *entry, found, d;
	uint64_t state = state_of(c->s2, meta);
	unsigned own = S2_USE_BATCH && w->batch ? meta_busy(state) : b->own[c->level];

	d = desc_make_table(c->s2, s2_port_table_pa(c->s2->port, c->table[c->level]));
	cursor_up(c);
	if (meta_notes(state) || meta_busy(state) != own ||
	    (is_shared(c->step) && !tag_take(c->s2, c->step)) ||
	    !table_kill(c, meta, own))
		return;
	entry = cursor_entry(c);
	found = d;
	if (is_shared(c->step))
		found = s2_port_cas(c->s2->port, entry, d,
				    desc_make_busy(d, c->step->tag));
	else
		s2_port_store(c->s2->port, entry, desc_make_busy(d, c->step->tag));
	if (found != d) {
		/*
		 * Being collapsed, and linked again then; or detached by somebody else.
		 */
		if (!desc_valid(found) && found & DESC_REMAKE) {
			table_revive(c, meta);
			c->step->wait = true;
		}
		return;
	}
	state_add(c, cursor_meta(c), META_BUSY_ONE - META_LIVE_ONE);
	b->own[c->level]++;
	if (page < w->g.start || page >= w->g.end)
		gather_add(&w->g, page, page_size(c->s2), page_size(c->s2));
	w->g.table = true;
	window_found(w, page, false);
	w->op->changed++;
}

/* On to the next entry, out of every table that ends here or with the range. */
static void break_next(struct breaking *b)
{
	struct cursor *c = &b->c;
	uint64_t page = c->ipa & ~(page_size(c->s2) - 1), next = cursor_past(c);

	while (c->level > c->s2->start_level && (next >= c->end || cursor_last(c))) {
		/*
		 * A map puts something into tables that are not below one of its leaves.
		 */
		if ((S2_USE_REPLACE && b->w->target && c->level <= b->w->apart) ||
		    meta_live(state_of(c->s2, cursor_meta(c))))
			cursor_up(c);
		else
			detach_dead(b, page);
	}
	if (c->level <= b->w->apart)
		b->w->apart = LAST_LEVEL;
	c->ipa = next;
}

/*
 * A marker: in a shared call another call's, which may not have invalidated yet. "Nothing
 * there" is never taken for "nobody can still use it" (P8), nor for "it is clean" (P3):
 * this call invalidates and cleans for itself, and leaves the release to the other. False
 * if the entry will be valid again, which has to be waited for.
 */
static bool meet_foreign(struct breaking *b, uint64_t d)
{
	struct window *w = b->w;

	if (d & DESC_REMAKE) {
		w->step->wait = true;
		return false;
	}
	gather_entry(&w->g, &b->c, d);
	window_found(w, b->c.ipa,
		     desc_is_table(d, b->c.level) ? state_below(w->s2, d) & w->unclean :
						    leaf_to_clean(w, d));
	return true;
}

/*
 * A parked leaf: broken and invalidated by another step, and cleaned in part. It is
 * cleaned on, whatever this call waives: who parked it did not. False when the step's
 * budget ended it.
 */
static bool finish_parked(struct breaking *b, uint64_t *entry, uint64_t d)
{
	struct cursor *c = &b->c;
	struct step *step = c->step;
	uint64_t size = cursor_size(c), pa = desc_oa(c->s2, d);
	uint64_t left = size - (pa & (size - 1)), n = step_bytes(c->s2, step, left);

	if (n > b->bytes)
		n = 0; /* the rest is for what this window has broken */
	if (n) {
		s2_port_clean(c->s2->port, pa, n, desc_attr(c->s2, d));
		step->bytes -= n;
		b->bytes -= n;
		/* As clean_barrier(): the leaf may become an empty entry now. */
		s2_port_dsb_sy(c->s2->port);
	}
	b->full = n < left;
	if (S2_USE_COUNTED && !b->full)
		leaf_gone(c, d);
	s2_port_store(c->s2->port, entry, b->full ? d + n : 0);
	if (!b->full)
		state_add(c, cursor_meta(c), UINT64_C(0) - META_LIVE_ONE);
	return !b->full;
}

/*
 * Break a valid leaf. A window ends before a leaf for which the step has not enough bytes
 * left. One that is larger than a step's bytes is taken alone, and phase 3 parks it.
 * False if the entry has to be read again, or the window ends here.
 */
static bool take_leaf(struct breaking *b, uint64_t *entry, uint64_t d)
{
	struct cursor *c = &b->c;
	struct window *w = b->w;
	uint64_t size = cursor_size(c);
	uint64_t need = leaf_to_clean(w, d) ? size : 0;
	bool parks = S2_USE_STEPS && need > b->bytes;

	/* The next step has all of its bytes for it. */
	if (parks &&
	    (w->found || need <= w->op->max_bytes || b->bytes < page_size(c->s2))) {
		b->full = true;
		return false;
	}
	/*
	 * What was there when the edges were settled does not count (P13). A map's range
	 * goes on behind its window.
	 */
	if (!(w->flags & S2_DROP_EDGES) &&
	    (cursor_base(c) < w->start ||
	     cursor_past(c) > (w->target ? w->target->end : w->end))) {
		w->edge = true;
		return false;
	}
	if (!break_entry(c, entry, d, d | b->owed, &w->g))
		return false;
	harvest(c, d, 0);
	w->op->changed++;
	if (cursor_base(c) < w->op->start.ipa)
		w->op->start.ipa = cursor_base(c);
	if (cursor_past(c) > w->op->end.ipa)
		w->op->end.ipa = cursor_past(c);
	b->own[c->level]++;
	window_found(w, c->ipa, need);
	if (parks) {
		/* Its table stays: the leaf is parked in it. */
		b->full = true;
		c->ipa = cursor_past(c);
		return false;
	}
	b->bytes -= need;
	return true;
}

static bool take_table(struct breaking *b, uint64_t *entry, uint64_t d, uint64_t state)
{
	struct window *w = b->w;

	if (!break_entry(&b->c, entry, d, d | b->owed, &w->g))
		return false;
	w->op->changed++;
	b->own[b->c.level]++;
	window_found(w, b->c.ipa, state & w->unclean);
	return true;
}

/*
 * An annotation in the range goes, unless it is to stay; so does one of a larger entry
 * only with all of it. Nothing can have cached it.
 */
static bool drop_note(struct breaking *b, uint64_t *entry, uint64_t d)
{
	struct cursor *c = &b->c;

	if (b->w->flags & S2_KEEP_NOTES || !cursor_covers(c))
		return true;
	if (!cursor_swap(c, entry, d, 0, false))
		return false;
	state_add(c, cursor_meta(c), UINT64_C(0) - META_NOTE_ONE);
	b->w->op->changed++;
	return true;
}

/*
 * Consecutive entries with the same attributes are processed in one loop: those behind
 * @entry, which was @like when it was broken. Not where others change entries, nor where
 * each leaf has to be looked at by itself.
 */
static void break_run(struct breaking *b, uint64_t *entry, uint64_t like)
{
	struct cursor *c = &b->c;
	struct window *w = b->w;
	bool tables = desc_is_table(like, c->level),
	     hardware = !tables && hw_writes(c->s2);
	uint64_t need = !tables && leaf_to_clean(w, like) ? cursor_size(c) : 0;
	uint64_t n = 0, clean = 0;
	uint64_t kind = desc_kind(like), busy = desc_make_busy(0, c->step->tag);
	uint64_t keep = ~(DESC_VALID | (c->step->tag ? DESC_TAG : 0));
	uint64_t *at = entry + 1, *last = entry;
	const uint64_t mask = desc_oa_mask(c->s2);
	const unsigned wide = wide_of(c->s2);
	const uint64_t *end = entry + cursor_run(c, c->step->entries - b->stop);

	if (!S2_USE_FAST || end == at || is_shared(c->step) || has_runs(c->s2) ||
	    log_of(w->op) || w->flags & S2_KEEP_NOTES || (w->target && !tables) ||
	    (S2_USE_COUNTED && c->step->tag && c->s2->counted))
		return;
	for (; at < end && need <= b->bytes; at++) {
		uint64_t d = s2_port_load(c->s2->port, at);

		if (!d)
			continue;
		if ((d ^ like) & kind)
			break;
		if (tables) {
			uint64_t state = state_of(
				c->s2, table_meta(c->s2, table_in(c->s2, mask, wide, d)));

			if (state & b->lost)
				break;
			clean |= state;
		}
		if (hardware && desc_hw_writes(d)) {
			if (s2_port_cas(c->s2->port, at, d, (d & keep) | busy) != d)
				break;
		} else {
			s2_port_store(c->s2->port, at, (d & keep) | busy);
		}
		b->bytes -= need;
		last = at;
		n++;
	}
	state_add(c, cursor_meta(c), n * (META_BUSY_ONE - META_LIVE_ONE));
	gather_add(&w->g, cursor_base(c), (uint64_t)(last + 1 - entry) << c->shift,
		   w->g.stride);
	b->own[c->level] += (unsigned)n;
	w->op->changed += n;
	w->clean |= (clean & w->unclean) != 0;
	step_visits(c->step, (uint64_t)(at - entry - 1));
	cursor_on(c, (uint64_t)(at - entry - 1));
}

/* Into a table that is not taken whole. */
static void break_down(struct breaking *b, uint64_t d, bool apart)
{
	struct cursor *c = &b->c;
	struct window *w = b->w;
	uint64_t base = cursor_base(c);

	if (apart && b->w->apart == LAST_LEVEL)
		b->w->apart = c->level;
	cursor_down(c, d);
	b->own[c->level] = 0;
	if (!is_shared(c->step))
		return;
	/* Before there are markers that say so. */
	if (b->owed)
		state_flag(c, cursor_meta(c), META_OWED);
	w->held[w->n_held++] =
		(struct held){ c->table[c->level], base + (unsigned)c->level };
}

void break_window(struct window *w)
{
	struct breaking b = { .w = w,
			      .bytes = w->step->bytes,
			      .lost = not_unread(w),
			      .owed = is_shared(w->step) && !(w->flags & S2_NO_CLEAN) ?
					      DESC_OWED :
					      0 };
	struct cursor *c = &b.c;
	struct s2 *s2 = w->s2;

	if (is_bounded(w->step))
		b.stop = w->step->entries - w->step->entries / 3;
	/* To report is one walk more. */
	if (S2_USE_COUNTED && is_bounded(w->step) && s2->counted)
		b.stop += w->step->entries / 3 - w->step->entries / 4;
	cursor_start(c, s2, w->step, w->start, w->end);
	/* No scan of root tables that are known to be empty. */
	while (c->ipa < w->end && !(state_of(s2, cursor_meta(c)) & META_COUNTS))
		c->ipa = (c->ipa | ((cursor_size(c) << table_bits(s2)) - 1)) + 1;
	while (c->ipa < c->end && !b.full && !w->edge && !w->step->wait) {
		uint64_t *entry = cursor_entry(c), d;
		/* The level of the leaf that a map makes here. */
		int want = S2_USE_REPLACE && w->target && c->level <= w->apart ?
				   target_level(s2, w->target, c->ipa) :
				   0;

		if (S2_USE_STEPS && w->step->entries <= b.stop)
			break;
		d = cursor_load(c, entry);
		if (desc_valid_table(d, c->level)) {
			uint64_t state = state_below(s2, d);

			if (c->level < want || !cursor_covers(c) || state & b.lost) {
				/* Beside others the window ends with what it can hold. */
				if (is_shared(w->step) && w->n_held == HELD_MAX)
					break;
				break_down(&b, d, c->level >= want);
				continue;
			}
			if (!only_notes(w)) {
				if (!take_table(&b, entry, d, state))
					continue;
				break_run(&b, entry, d);
			} else if (!(state & META_COUNTS)) {
				/*
				 * Empty: out of it by its last page, and it is detached.
				 */
				c->ipa = cursor_past(c) - page_size(s2);
				cursor_down(c, d);
				b.own[c->level] = 0;
			}
		} else if (desc_valid(d)) {
			if (only_notes(w) ||
			    (S2_USE_REPLACE && w->target &&
			     target_in_place(s2, w->target, d, c->ipa, c->level, want))) {
				break_next(&b);
				continue;
			}
			/* A run is broken whole, or is none any more. */
			if (has_runs(s2) &&
			    !run_fits(c, d, w->step->entries + 1 - b.stop,
				      leaf_to_clean(w, d) ? b.bytes : NO_BUDGET)) {
				if (w->found)
					break;
				run_break(s2, cursor_base(c) + page_size(s2));
				continue;
			}
			if (!take_leaf(&b, entry, d))
				continue;
			if (cursor_covers(c))
				break_run(&b, entry, d);
		} else if (S2_USE_NOTES && desc_note(d)) {
			/* A map puts its own in the note's place. */
			if ((!w->target || c->level > w->apart) &&
			    !drop_note(&b, entry, d))
				continue;
		} else if (d && is_shared(w->step) && !(w->flags & S2_ONLY_NOTES)) {
			if (!meet_foreign(&b, d))
				continue;
		} else if (S2_USE_STEPS && desc_parked(d) && !only_notes(w)) {
			if (!finish_parked(&b, entry, d))
				break;
		}
		break_next(&b);
	}
	w->to = cursor_at(c);
}
