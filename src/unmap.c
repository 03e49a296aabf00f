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
 *
 * Shared calls (S2_SHARED) do the same by compare-and-swap, and finish only what
 * they broke themselves: docs/concurrency.md has the protocol.
 */
#include "internal.h"

enum { BREAK, FINISH, DRAIN };

/* ---- phase 1: break --------------------------------------------------------- */

void gather_entry(struct s2_gather *g, const struct cursor *c, uint64_t d)
{
	if (!desc_is_table(d, c->level)) {
		gather_leaf(g, c, d);
		return;
	}
	/*
	 * Leaves of any size may be below, and every cached copy of a table entry
	 * on the way must go: the whole span, no level hint.
	 */
	gather_add(g, cursor_base(c), level_size(c->s2, c->level), page_size(c->s2));
	g->table = true;
	g->clean |= !!(state_below(c->s2, d) & META_CLEAN);
}

/*
 * One write makes the entry invalid, a table with all that is below it: nothing
 * below is read. The marker is not 0: it keeps the output address for the
 * phases after, and holds the place, so that a fault cannot put a new entry
 * there before the TLBI (valid, invalid, valid without an invalidation between
 * is what break-before-make forbids [RWHZWS]).
 */
bool break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct s2_gather *g)
{
	if (c->step->shared && !tag_take(c->s2, c->step))
		return false;
	/*
	 * Hardware may set the access flag or the dirty state of a valid leaf at any
	 * time: a swap loses no update. Table entries it never writes.
	 */
	if (!cursor_swap(c, entry, d, desc_make_busy(marker, c->step->tag),
			 cursor_racy(c, d)))
		return false;
	state_add(c, cursor_meta(c),
		  META_BUSY_ONE - (marker & DESC_REMAKE ? 0 : META_LIVE_ONE));
	gather_entry(g, c, d);
	return true;
}

bool meet_busy(struct cursor *c, uint64_t *entry, uint64_t d, struct s2_gather *g)
{
	if (c->step->shared && d & DESC_REMAKE) {
		c->step->wait = true;
		return false;
	}
	/* This batch's own: in it already. */
	if (!c->step->shared && c->step->tag && desc_tag(d) == c->step->tag)
		return true;
	/*
	 * Begun elsewhere and not finished. "Nothing there" is never taken for
	 * "nobody can still use it" (P8): its invalidation may be still to come.
	 */
	gather_entry(g, c, d);
	/* Pending in a batch: it is invalidated now, so the batch need not. */
	if (!c->step->shared && desc_tag(d) != c->step->tag)
		s2_port_store(c->s2->port, entry,
			      desc_make_busy(d & ~DESC_TAGGED, c->step->tag));
	return true;
}

/*
 * One window being broken. own: entries of the table at each level of the path
 * that are busy since this window.
 */
struct breaking {
	struct cursor c;
	struct s2_gather g;
	struct s2_op *op;
	uint32_t flags;
	unsigned own[S2_LEVELS];
};

uint64_t table_revive(const struct cursor *c, uint64_t *meta)
{
	return s2_port_word_add(c->s2->port, &meta[META_STATE], UINT64_C(0) - META_DEAD);
}

bool table_kill(const struct cursor *c, uint64_t *meta)
{
	uint64_t old;

	if (!c->step->shared)
		return true;
	for (int i = 0; i < 8; i++) {
		old = s2_port_word_or(c->s2->port, &meta[META_STATE], META_DEAD);
		if (old & META_DEAD)
			return false;
		if (!meta_live(old) && !meta_notes(old))
			return true;
		old = table_revive(c, meta);
		if (meta_live(old) || meta_notes(old))
			return false;
	}
	return false;
}

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
	uint64_t state = state_of(c->s2, meta);
	uint64_t pa = s2_port_table_pa(c->s2->port, c->table[c->level]);
	uint64_t d = desc_make_table(c->s2, pa), found, *entry;
	uint64_t first = (op->st.win >> level_shift(c->s2, c->level)) &
			 (table_entries(c->s2) - 1);
	bool own;

	if (meta_notes(state) || (c->step->shared && !tag_take(c->s2, c->step)) ||
	    !table_kill(c, meta)) {
		c->level--;
		return;
	}
	/* Till then others could map something in it and break that, as is seen now. */
	if (c->step->shared)
		state = state_of(c->s2, meta);
	own = meta_busy(state) == b->own[c->level];
	c->level--;
	entry = cursor_entry(c);
	if (!c->step->shared) {
		s2_port_store(c->s2->port, entry, desc_make_busy(d, c->step->tag));
	} else {
		found = s2_port_cas(c->s2->port, entry, d,
				    desc_make_busy(d, c->step->tag));
		/* Being collapsed for now: it will be linked again. */
		if (found & DESC_REMAKE && !desc_valid(found)) {
			table_revive(c, meta);
			c->step->wait = true;
			c->end = page; /* and then it is to be seen that it is empty */
		}
		/* Or detached by somebody else. */
		if (found != d)
			return;
	}
	/*
	 * What is busy in it since this window lies in the window: the clean need
	 * not look before it. Not so what another call has broken and not finished:
	 * it goes with the table, so this call finishes it.
	 */
	if (own && !c->step->shared && cursor_base(c) < op->st.win)
		meta[META_CLEANED] = first;
	state_add(c, cursor_meta(c), META_BUSY_ONE - META_LIVE_ONE);
	b->own[c->level]++;
	/* If the first marker of the window went with the table, here is another. */
	if (c->step->hint_level > c->level && c->step->hint_ipa >= cursor_base(c))
		c->step->hint_level = (int8_t)c->level;
	if (page < b->g.start || page >= b->g.end)
		gather_add(&b->g, page, page_size(c->s2), page_size(c->s2));
	b->g.table = true;
	b->g.clean |= !!(state & META_CLEAN);
	/* Whoever made them need not have waived the clean (S2_NO_CLEAN). */
	op->st.clean |= !own && state & META_CLEAN;
	/* Another's markers went with it, whose invalidation may be to come. */
	if (!own && (c->step->shared || c->s2->batch))
		gather_add(&b->g, cursor_base(c), level_size(c->s2, c->level),
			   page_size(c->s2));
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
		if (meta_live(state_of(c->s2, cursor_meta(c))))
			c->level--;
		else
			detach_dead(b, page);
	}
	c->ipa = next;
}

/* Break one entry; false if it has to be read again, or waited for. */
static bool break_one(struct breaking *b, uint64_t *entry, uint64_t d)
{
	struct cursor *c = &b->c;
	uint64_t past = cursor_base(c) + level_size(c->s2, c->level);

	if (!desc_valid(d))
		return meet_busy(c, entry, d, &b->g);
	if (!break_entry(c, entry, d, d, &b->g))
		return false;
	b->op->changed++;
	harvest(c, d, 0);
	/* A block at the edge goes whole (S2_DROP_EDGES). */
	if (cursor_base(c) < b->op->start.ipa)
		b->op->start.ipa = cursor_base(c);
	if (past > b->op->end.ipa)
		b->op->end.ipa = past;
	return true;
}

/* Whether what is asked of each entry is asked once of those that are alike. */
static bool break_is_plain(const struct breaking *b)
{
	const struct cursor *c = &b->c;

	return !c->step->shared && !(c->s2->special & S2_RUNS) && !b->op->dirty &&
	       !(b->flags & S2_KEEP_NOTES);
}

/*
 * The entries behind one that has been broken, as far as they are like it: what was asked
 * of that one need not be asked of them. Where nobody else changes entries, what is one
 * call for each elsewhere is a loop here.
 */
static void break_run(struct breaking *b, uint64_t *entry, uint64_t like)
{
	struct cursor *c = &b->c;
	uint64_t kind = desc_kind(like), busy = desc_make_busy(0, c->step->tag), n = 0;
	uint64_t keep = ~(DESC_VALID | (c->step->tag ? DESC_TAG : 0));
	uint64_t size = level_size(c->s2, c->level);
	uint64_t *at = entry + 1, *last = entry;
	const uint64_t *end = entry + cursor_run(c);
	bool tables = desc_is_table(like, c->level);
	bool hardware = !tables && c->s2->features & S2_FEAT_HAFDBS;

	for (; at < end; at++) {
		uint64_t d = s2_port_load(c->s2->port, at);

		if (!d)
			continue;
		if ((d ^ like) & kind || !cursor_swap(c, at, d, (d & keep) | busy,
						      hardware && desc_hw_writes(d)))
			break;
		if (tables)
			b->g.clean |= !!(state_below(c->s2, d) & META_CLEAN);
		last = at;
		n++;
	}
	state_add(c, cursor_meta(c), n * (META_BUSY_ONE - META_LIVE_ONE));
	gather_add(&b->g, cursor_base(c), (uint64_t)(last + 1 - entry) * size,
		   b->g.stride);
	b->own[c->level] += (unsigned)n;
	b->op->changed += n;
	c->step->entries -= (uint64_t)(at - entry - 1);
	cursor_on(c, (uint64_t)(at - entry - 1));
}

/*
 * Whether a table wholly inside the range must be taken apart, because something below
 * would be lost if it were detached unread: annotations that stay; dirty state. Hardware
 * may go on recording writes in a detached table, and whoever finishes an unmap need not
 * know that somebody wants to hear of it: so it is taken from each leaf by the swap that
 * breaks it, after which hardware has no more to say.
 */
static bool take_apart(const struct breaking *b, uint64_t d)
{
	uint64_t state = state_below(b->c.s2, d);

	/* Beside others a map may be about to put the first such leaf there. */
	if (b->op->dirty && b->c.step->shared && b->c.s2->features & S2_FEAT_DBM)
		return true;
	return (b->op->dirty && state & META_DBM) ||
	       (b->flags & (S2_KEEP_NOTES | S2_ONLY_NOTES) && state & META_NOTED);
}

/*
 * An annotation in the range goes, unless it is to stay; so does one of a larger entry
 * only with all of it. Nothing can have cached it.
 */
static bool drop_note(struct breaking *b, uint64_t *entry, uint64_t d)
{
	struct cursor *c = &b->c;

	if (b->flags & S2_KEEP_NOTES || !cursor_covers(c))
		return true;
	if (!cursor_swap(c, entry, d, 0, false))
		return false;
	state_add(c, cursor_meta(c), UINT64_C(0) - META_NOTE_ONE);
	b->op->changed++;
	return true;
}

/*
 * Sets op's window, and whether it is cleaned whatever this caller waives; true when
 * something in it was broken.
 */
static bool break_window(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end,
			 uint32_t flags, struct s2_gather *g)
{
	struct breaking b = { .op = op, .flags = flags };
	struct cursor *c = &b.c;

	op->st.win = op->st.pos;
	op->st.clean = false;
	cursor_start(c, s2, step, op->st.pos, end);
	/* No scan of root tables that are known to be empty. */
	while (c->ipa < end && !(state_of(s2, cursor_meta(c)) & META_COUNTS))
		c->ipa = (c->ipa | (level_size(s2, c->level - 1) - 1)) + 1;
	while (cursor_more(c)) {
		uint64_t *entry = cursor_entry(c);
		uint64_t d = cursor_load(c, entry);

		if (desc_valid_table(d, c->level) &&
		    (!cursor_covers(c) || take_apart(&b, d))) {
			cursor_down(c, d);
			b.own[c->level] = 0;
			continue;
		}
		/* A run is broken whole, or its rest would be a broken promise. */
		if (s2->special & S2_RUNS && !run_fits(c, d)) {
			step->wait = true;
			break;
		}
		if (desc_note(d)) {
			if (!drop_note(&b, entry, d))
				continue;
		} else if (d && !(flags & S2_ONLY_NOTES)) {
			bool first = b.g.start == b.g.end;

			if (!break_one(&b, entry, d)) {
				if (step->wait)
					break;
				continue;
			}
			b.own[c->level] += desc_valid(d);
			if (first) {
				op->st.win = c->ipa;
				cursor_hint(c);
			}
			if (!cursor_last(c) && desc_valid(d) && break_is_plain(&b))
				break_run(&b, entry, d);
		}
		break_next(&b);
	}
	op->st.win_end = c->ipa < c->end ? c->ipa : c->end;
	*g = b.g;
	return g->start < g->end;
}

/* ---- phase 4: release ----------------------------------------------------------- */

void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level)
{
	uint64_t *meta = table_meta(s2, table), *at = &limbo->head;

	/* Behind the first while that is being read. */
	if (limbo->idx)
		at = &table_meta(s2, s2_port_table_va(s2->port,
						      link_pa(limbo->head)))[META_LINK];
	meta[META_LINK] = *at;
	*at = s2_port_table_pa(s2->port, table) | LINK_PRESENT | (uint64_t)level;
	limbo->tables++;
}

void limbo_move(struct s2 *s2, struct s2_limbo *to, struct s2_limbo *from)
{
	while (from->head) {
		uint64_t link = from->head;
		uint64_t *table = s2_port_table_va(s2->port, link_pa(link));

		from->head = table_meta(s2, table)[META_LINK];
		from->tables--;
		limbo_push(s2, to, table, (int)(link & LINK_LEVEL));
	}
}

static void table_free(struct s2 *s2, uint64_t *table, int level, uint64_t *freed)
{
	freed[level]++;
	s2_port_table_free(s2->port, table);
}

/*
 * The list is the stack: a table with tables below it puts those on the list as
 * they are read and goes itself when all have been. A table without any is
 * never read. Whether it has is asked only now: before the grace period a late
 * walker may still have been putting one there.
 */
static bool limbo_drain(struct s2 *s2, struct s2_limbo *limbo, struct step *step)
{
	uint64_t freed[S2_LEVELS] = { 0 };
	bool done = true;

	while (done && limbo->head) {
		uint64_t link = limbo->head;
		int level = (int)(link & LINK_LEVEL);
		uint64_t *table = s2_port_table_va(s2->port, link_pa(link));
		uint64_t *meta = table_meta(s2, table);

		while (meta_tables(meta[META_STATE]) && limbo->idx < table_entries(s2)) {
			uint64_t d, *child;

			if (!step->entries) {
				done = false;
				break;
			}
			step->entries--;
			d = s2_port_load(s2->port, &table[limbo->idx]);
			limbo->idx++;
			if (!(desc_valid(d) || desc_busy(d)) || !desc_is_table(d, level))
				continue;
			child = s2_port_table_va(s2->port, desc_oa(s2, d));
			if (meta_tables(table_meta(s2, child)[META_STATE]))
				limbo_push(s2, limbo, child, level + 1);
			else
				table_free(s2, child, level + 1, freed);
		}
		if (!done)
			break;
		limbo->idx = 0;
		limbo->head = meta[META_LINK];
		limbo->tables--;
		table_free(s2, table, level, freed);
	}
	/* Beside calls under the instance's lock, hence atomic. */
	for (int l = 0; l < S2_LEVELS; l++)
		if (freed[l])
			s2_port_word_add(s2->port, &s2->freed[l], freed[l]);
	return done;
}

/* Behind one that has been released those like it, but for tables that need a clean. */
static void release_run(struct cursor *c, struct s2_limbo *limbo, uint64_t *entry,
			uint64_t like)
{
	const uint64_t *end = entry + cursor_run(c);
	uint64_t kind = desc_kind(like), n = 0, *at = entry + 1;
	bool tables = desc_is_table(like, c->level);

	for (; at < end; at++) {
		uint64_t d = s2_port_load(c->s2->port, at), *table, *meta;

		if (!d)
			continue;
		if ((d ^ like) & kind)
			break;
		if (tables) {
			table = s2_port_table_va(c->s2->port, desc_oa(c->s2, d));
			meta = table_meta(c->s2, table);
			if (table_unclean(c->s2, meta, state_of(c->s2, meta)))
				break;
			limbo_push(c->s2, limbo, table, c->level + 1);
		}
		s2_port_store(c->s2->port, at, 0);
		n++;
	}
	state_add(c, cursor_meta(c),
		  UINT64_C(0) - n * (META_BUSY_ONE + (tables ? META_TABLE_ONE : 0)));
	c->step->entries -= (uint64_t)(at - entry - 1);
	cursor_on(c, (uint64_t)(at - entry - 1));
}

/*
 * The busy entries up to @to become empty ones. It stops at one that needs a
 * clean and has not had it: a table of which some is left, or in a window of which
 * nothing needed one (@cleaned false) what another call has broken since our last
 * step; that is cleaned next. What another shared call has broken is left to it, and
 * waited for if it needs a clean. Returns where it or the step's budget ended.
 */
uint64_t release_range(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t to,
		       bool cleaned, bool waived)
{
	struct cursor c;

	cursor_resume(&c, s2, step, op->st.pos, to);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *table = NULL;
		uint64_t d = cursor_load(&c, entry);
		bool ours = finishes(&c, d);
		bool needs = !(cleaned && ours) && desc_needs_clean(s2->features, d);

		if (desc_valid_table(d, c.level)) {
			cursor_down(&c, d);
			continue;
		}
		/* What is below may come back, markers of this call among it. */
		if (step->shared && desc_busy(d) && d & DESC_REMAKE) {
			step->wait = true;
			break;
		}
		if (desc_busy(d) && desc_is_table(d, c.level)) {
			uint64_t *meta, state;

			table = s2_port_table_va(s2->port, desc_oa(s2, d));
			meta = table_meta(s2, table);
			state = state_of(s2, meta);
			/*
			 * How far another has come is not to be relied on: its
			 * cleans are complete only after its DSB, when it releases.
			 */
			needs = ours ? table_unclean(s2, meta, state) :
				       table_cleanable(state);
		}
		if (desc_busy(d) && needs && !waived && (ours || step->shared)) {
			op->st.clean = true;
			step->wait |= !ours;
			break;
		}
		if (ours) {
			s2_port_store(s2->port, entry, 0);
			state_add(&c, cursor_meta(&c),
				  UINT64_C(0) - META_BUSY_ONE -
					  (table ? META_TABLE_ONE : 0));
			if (table)
				limbo_push(s2, op_limbo(op), table, c.level + 1);
			if (!cursor_last(&c) && !step->shared)
				release_run(&c, op_limbo(op), entry, d);
		}
		cursor_next(&c);
	}
	return c.ipa;
}

bool finish_window(struct s2 *s2, struct s2_op *op, struct step *step, bool clean,
		   bool waived)
{
	uint64_t to = op->st.win_end, bytes = step->bytes;

	if (clean)
		to = clean_range(s2, op, step, to);
	clean_barrier(s2, step, bytes);
	op->st.pos = release_range(s2, op, step, to, clean, waived);
	return op->st.pos >= op->st.win_end;
}

bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step)
{
	return op->limbo || limbo_drain(s2, &op->st.own, step);
}

int s2_release(struct s2 *s2, struct s2_limbo *limbo, struct s2_op *op)
{
	struct step step = step_free(0);
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

int unmap_steps(struct s2 *s2, struct s2_op *op, struct step *step, uint32_t flags,
		enum extent extent)
{
	uint64_t end = op->st.ipa + op->st.size;
	bool waived = flags & S2_NO_CLEAN;
	int err;

	for (;;) {
		switch (op->st.phase) {
		case BREAK: {
			struct s2_gather g;
			bool broken;

			if (op->st.pos >= end)
				return 0;
			if (!step->entries || step->wait)
				return S2_MORE;
			/* For each window: blocks may have been mapped meanwhile. */
			err = flags & S2_DROP_EDGES ?
				      0 :
				      settle_edges(s2, step, op->st.ipa, end, flags);
			if (err)
				return err;
			/* From where this step begins: a run may have been put there. */
			if (s2->special & S2_RUNS && !(flags & S2_ONLY_NOTES))
				runs_break(s2, op->st.pos, end);
			if (op->batch && batch_full(op->batch) &&
			    !batch_finish(s2, op->batch, op, step))
				return S2_MORE;
			broken = break_window(s2, op, step, end, flags, &g);
			op->st.clean |= g.clean && !waived;
			if (op->batch) {
				if (broken) {
					batch_gather(op->batch, &g);
					batch_range(op->batch, op->st.win, op->st.win_end,
						    (g.table ? S2_BATCH_TABLE : 0u) |
							    (op->st.clean ?
								     S2_BATCH_CLEAN :
							     waived ? S2_BATCH_WAIVED :
								      0u));
				}
				op->st.pos = op->st.win_end;
				op->st.phase = DRAIN;
				break;
			}
			/*
			 * Phase 2, in the same step: nothing is cleaned or freed
			 * before it, and nobody can get in between.
			 */
			if (extent == BY_RANGE) {
				invalidate(s2, step, &g);
			} else if (extent == WHOLE_VMID && broken) {
				invalidate_all(s2);
				op->st.ended = true;
			}
			if (broken) {
				op->st.pos = op->st.win;
				op->st.phase = FINISH;
				break;
			}
			op->st.pos = op->st.win_end;
			op->done = s2_ipa(op->st.pos);
			break;
		}
		case FINISH: {
			bool clean = op->st.clean;

			if (!finish_window(s2, op, step, clean, waived && !clean)) {
				/* It has met something to clean: once more, with it. */
				if (op->st.clean && !clean && !step->wait)
					break;
				return S2_MORE;
			}
			/* Not behind a block that was mapped meanwhile. */
			op->st.pos = op->st.win_end;
			op->st.phase = DRAIN;
			break;
		}
		case DRAIN:
			if (!drain_own(s2, op, step))
				return S2_MORE;
			op->done = s2_ipa(op->st.pos < end ? op->st.pos : end);
			op->st.phase = BREAK;
			break;
		}
	}
}

int unmap_range(struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa, size);

	if (!err && (flags & ~(S2_DROP_EDGES | S2_SPLIT_EDGES | S2_NO_CLEAN |
			       S2_KEEP_NOTES | S2_SHARED) ||
		     (flags & S2_DROP_EDGES && flags & S2_SPLIT_EDGES) ||
		     (flags & S2_SHARED && !(op && op->limbo))))
		err = S2_E_FLAGS;
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
	ret = op_begin(s2, &op, &local, &step, OP_DESTROY, 0, UINT64_C(1) << s2->ipa_bits,
		       flags, flags);
	if (ret)
		return ret;
	ret = unmap_steps(s2, op, &step, flags | S2_DROP_EDGES, extent);
	if (!ret) {
		/*
		 * The VMID may be given to another guest now. What earlier calls
		 * invalidated is gone; what they had no reason to (an entry that
		 * was relaxed and cached twice) goes here at the latest (P12).
		 */
		if (extent == WHOLE_VMID && !op->st.ended)
			invalidate_all(s2);
		s2_port_root_free(s2->port, s2->root, s2->root_pages);
	}
	op_end(s2, op, &step, ret);
	if (!ret)
		*s2 = (struct s2){ 0 };
	return ret;
}
