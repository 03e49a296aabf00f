/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map: look and take tables, clear the way (replace.c), publish the new memory, make.
 * The first may fail and changes nothing; the rest cannot fail. A call works through its
 * range in windows, the whole range when it has no budget.
 */
#include "internal.h"

/*
 * DESC_CONT for a leaf whose whole run is made now, each member anew (S2_MAP_CONT). A
 * step ends between two runs, so that no member is seen without the others for long.
 */
static uint64_t run_hint(const struct map *m, const struct found *f, uint64_t ipa,
			 int level)
{
	uint64_t size, base;

	if (!S2_USE_RUNS || !(m->t.flags & S2_MAP_CONT) || f->present || f->below)
		return 0;
	size = run_size(m->s2, level);
	base = ipa & ~(size - 1);
	if (!size || m->t.delta & (size - 1) || base < m->pos || m->end - base < size)
		return 0;
	m->s2->special |= S2_RUNS;
	return DESC_CONT;
}

/* One entry of the window, for which a leaf or a table is to be made. */
static int look_entry(const struct map *m, struct cursor *c, uint64_t *entry, uint64_t d,
		      int want, struct found *f)
{
	uint64_t past = cursor_past(c), start, end, new = 0;
	bool replace = m->t.flags & S2_MAP_REPLACE;

	f->noted |= desc_note(d);
	if (is_note(m) && d == m->t.note)
		return 0;
	if (desc_busy(d)) {
		if (S2_USE_BATCH && !is_shared(c->step) && desc_tag(d))
			return S2_E_BATCH;
		if (!replace || is_shared(c->step))
			return S2_E_BUSY;
	}
	if (S2_USE_IN_PLACE && desc_valid_leaf(d, c->level)) {
		new = target_in_place(m->s2, &m->t, d, c->ipa, c->level, want);
		if (new && m->t.flags & S2_MAP_NEW)
			return S2_E_EXIST;
		/* Hardware would write the members of a run one by one. */
		if (S2_USE_RUNS && S2_USE_HW && !((DESC_CONT | DESC_DBM) & ~new))
			return S2_E_ATTR;
		if (new > TARGET_PART) {
			look_in_place(m, c, entry, d, new, f);
			return 0;
		}
		start = cursor_base(c) < m->pos ? m->pos : 0;
		end = past > m->t.end ? m->t.end : 0;
		if ((replace || new) && start | end) {
			if (!(m->t.flags & (S2_SPLIT_EDGES | S2_DROP_EDGES)))
				return S2_E_BLOCK;
			f->start |= start;
			f->end |= end;
			/*
			 * Else they are among those that the new leaves need; with a
			 * budget the next step takes these.
			 */
			if (S2_USE_RESHAPE && m->t.flags & S2_SPLIT_EDGES &&
			    (new || m->end < m->t.end)) {
				f->tables += tables_to(m->s2, start, end, c->level);
				new = TARGET_PART;
			}
		}
	}
	if (desc_valid(d) && !replace && !new) {
		if (!table_empty(c, d))
			return S2_E_EXIST;
		/* Beside others it may be about to be filled, or detached. */
		if (is_shared(c->step))
			return S2_E_BUSY;
	}
	f->uniform = false;
	if (new)
		return 0;
	f->taken |= desc_valid(d) || desc_busy(d);
	f->fresh = true;
	if (c->level < want)
		f->tables += target_tables(m->s2, &m->t, c->ipa,
					   past < c->end ? past : c->end, c->level);
	return 0;
}

/*
 * What is in the window. Where it has more entries than leaves of the wanted size, the
 * budget ends it early.
 */
static int look(struct map *m, struct found *f)
{
	uint64_t stop = 0;
	struct cursor c;

	*f = (struct found){ 0 };
	f->uniform = S2_USE_FAST && !is_shared(m->step) && !hw_writes(m->s2) &&
		     !has_runs(m->s2) && !log_of(m->op);
	if (is_bounded(m->step) && m->op->max_entries)
		stop = m->step->entries - m->op->max_entries / 8 - 2 * S2_LEVELS;
	cursor_start(&c, m->s2, m->step, m->pos, m->end);
	while (c.ipa < c.end) {
		uint64_t *entry = cursor_entry(&c), d = cursor_load(&c, entry);
		int want = leaf_level(m, &c), err;

		if (desc_valid_table(d, c.level) && looks_below(m, &c, d, want)) {
			f->below |= c.level == want;
			cursor_down(&c, d);
			continue;
		}
		err = look_entry(m, &c, entry, d, want, f);
		if (err)
			return err;
		cursor_next(&c);
		if (S2_USE_STEPS && m->step->entries < stop && c.ipa < c.end)
			m->end = c.end = c.ipa;
	}
	/* Beside others a table in which nothing is seen may be about to be filled. */
	if (is_shared(m->step) && f->below && !f->present && !f->noted)
		return S2_E_BUSY;
	return 0;
}

/* Whether new memory is written back to the PoC before the guest gets it. */
static bool cleans_new(const struct map *m)
{
	return !(m->t.flags & S2_NO_CLEAN) && !is_note(m) &&
	       desc_needs_clean(m->s2->features,
				target_desc(m->s2, &m->t, 0, LAST_LEVEL));
}

/*
 * The next window: all that is left, or with a budget so many leaves of one size that
 * looking and making fit into a step, and that their memory may be cleaned in it. A
 * shared call that replaces takes one table of leaves at a time, since it holds the
 * tables that it goes down into (struct held).
 */
static uint64_t window_end(const struct map *m)
{
	bool one_table = is_shared(m->step) && m->t.flags & S2_MAP_REPLACE;
	uint64_t n = UINT64_MAX, end = m->t.end, size, larger;
	int level;

	if (!one_table && !is_bounded(m->step))
		return end;
	level = target_level(m->s2, &m->t, m->pos);
	size = level_size(m->s2, level);
	larger = (m->pos | (level_size(m->s2, level - 1) - 1)) + 1;
	if (one_table)
		return larger < end ? larger : end;
	if (m->op->max_entries)
		n = m->op->max_entries / 8;
	if (m->op->max_bytes && cleans_new(m) && m->op->max_bytes / size < n)
		n = m->op->max_bytes / size;
	end = (end - m->pos) / size < n ? end & ~(size - 1) : m->pos + size * n;
	/* Not past the place where a larger block begins. */
	if (level > m->t.top && larger < end)
		end = larger;
	if (S2_USE_RUNS && m->t.flags & S2_MAP_CONT) {
		size = run_size(m->s2, level);
		if (size && (end & ~(size - 1)) > m->pos)
			end &= ~(size - 1);
	}
	return end;
}

/*
 * New memory before its entry: written back to the PoC if the guest may look at it past
 * the caches, and made visible to instruction fetch. After the old mapping has been
 * broken and invalidated: by that the guest may still have written to the same memory.
 */
static void publish(const struct map *m, uint64_t ipa, uint64_t size, bool fresh,
		    bool executable)
{
	uint64_t pa = ipa + m->t.delta;

	if (m->t.flags & S2_NO_CLEAN)
		return;
	if (fresh && cleans_new(m)) {
		s2_port_clean(m->s2->port, pa, size, m->t.attr);
		/*
		 * The cleans of this PE before the stores that make the entries valid,
		 * which program order does not ensure: a guest that reads past the
		 * caches must find the data. SY: such reads are outer shareable.
		 */
		s2_port_dsb_sy(m->s2->port);
		m->step->bytes -= size;
	}
	if (m->t.attr & S2_X && (fresh || executable))
		s2_port_make_executable(m->s2->port, pa, size);
}

/*
 * Beside others a leaf that the look has seen may go, or lose a permission, until the new
 * one is made. So where it has seen any, each is published just before it is made. So is,
 * once more, one of which the window is only a part: it changes as a whole.
 */
static bool publishes_late(const struct map *m, const struct found *f)
{
	return is_shared(m->step) && f->present;
}

static void publish_late(const struct map *m, const struct found *f, uint64_t ipa,
			 uint64_t size, uint64_t d)
{
	if (publishes_late(m, f) ||
	    (S2_USE_IN_PLACE && (ipa < m->pos || ipa + size > m->end)))
		publish(m, ipa, size, !desc_valid(d), m->t.attr & ~desc_exec(d) & S2_X);
}

/* Leaves to the end of the table or window, all entries empty; returns how many. */
static uint64_t make_run(const struct map *m, const struct found *f,
			 const struct cursor *c, uint64_t *entry)
{
	uint64_t size = cursor_size(c), ipa = c->ipa;
	uint64_t n = cursor_run(c, c->step->entries);
	uint64_t desc = target_desc(m->s2, &m->t, ipa, c->level);

	/* What is written counts, too, or a step could be as long as its range. */
	step_visits(c->step, n);
	/* The top bits of an address of 52 are not above the others. */
	if ((S2_USE_RUNS && m->t.flags & S2_MAP_CONT) || wide_of(m->s2)) {
		for (uint64_t i = 0; i < n; i++, ipa += size)
			s2_port_store(c->s2->port, &entry[i],
				      target_desc(m->s2, &m->t, ipa, c->level) |
					      run_hint(m, f, ipa, c->level));
		return n;
	}
	/* The loop itself would be half of the work: two in a turn. */
	for (uint64_t i = 0; i < n / 2; i++, entry += 2, desc += 2 * size) {
		s2_port_store(c->s2->port, &entry[0], desc);
		s2_port_store(c->s2->port, &entry[1], desc + size);
	}
	if (n & 1)
		s2_port_store(c->s2->port, entry, desc);
	return n;
}

/*
 * Exclusively it cannot fail: every table is in the reserve, and whatever was in the way
 * has gone. Beside others what was empty at the look may not be now: S2_E_BUSY then, with
 * the entries made before it staying.
 */
S2_APART int make(struct map *m, struct found *f)
{
	uint64_t keep =
		is_note(m) ?
			META_NOTED :
			meta_of_leaf(m->s2, target_desc(m->s2, &m->t, 0, LAST_LEVEL));
	bool empty = !f->present && !f->noted && !f->below && !is_shared(m->step) &&
		     !is_note(m);
	bool gone = false;
	struct cursor c;

	cursor_start(&c, m->s2, m->step, m->pos, m->end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *meta = cursor_meta(&c), d, new;
		int want = leaf_level(m, &c);

		/* Before the leaf, so that who detaches it knows what it may hold. */
		state_flag(&c, meta, keep);
		/*
		 * Into entries that are known to be empty, or leaves that are known to
		 * stay: a run, unread.
		 */
		if (S2_USE_FAST &&
		    (uniform(f) ? c.level == LAST_LEVEL : empty && c.level == want)) {
			uint64_t n = make_run(m, f, &c, entry);

			if (!uniform(f)) {
				state_add(&c, meta, n * META_LIVE_ONE);
				m->op->changed += n;
			}
			cursor_on(&c, n - 1);
			cursor_next(&c);
			continue;
		}
		d = cursor_load(&c, entry);
		if (desc_valid_table(d, c.level) && looks_below(m, &c, d, want)) {
			/* Another has made it: the look has not seen what is in it. */
			if (c.level == want && !f->below)
				return S2_E_BUSY;
			cursor_down(&c, d);
			continue;
		}
		if (S2_USE_IN_PLACE && desc_valid(d)) {
			if (desc_is_table(d, c.level) || m->t.flags & S2_MAP_NEW)
				return S2_E_BUSY;
			new = target_in_place(m->s2, &m->t, d, c.ipa, c.level, want);
			if (new <= TARGET_PART)
				return S2_E_BUSY;
			publish_late(m, f, cursor_base(&c), cursor_size(&c), d);
			if (!make_in_place(m, &c, entry, d, new, &f->g))
				continue;
		} else if (is_note(m) && d == m->t.note) {
			/* It is there. */
		} else if (desc_busy(d) || (c.level < want && !m->reserve)) {
			return S2_E_BUSY;
		} else if (c.level < want) {
			m->counted = true;
			put_table(&c, entry, d, &m->reserve, &gone);
			if (gone)
				return S2_E_BUSY;
			continue;
		} else {
			new = target_desc(m->s2, &m->t, c.ipa, want) |
			      run_hint(m, f, c.ipa, want);
			publish_late(m, f, c.ipa, level_size(m->s2, want), d);
			if (!put_entry(&c, entry, d, new, &gone)) {
				m->counted = true;
				if (gone)
					return S2_E_BUSY;
				continue;
			}
			if (S2_USE_COUNTED && is_shared(m->step) && keep & META_COUNTED)
				tell_late(&c);
			m->op->changed++;
		}
		cursor_next(&c);
	}
	S2_ASSERT(c.ipa >= c.end);
	return 0;
}

/*
 * What may fail, before anything changes: look, and take every table that the
 * window, and the blocks at the edges, can need.
 */
static int prepare(struct map *m, struct found *f)
{
	int err;

	m->end = window_end(m);
	err = look(m, f);
	if (!err && asks(m))
		*m->needed = f->tables;
	else if (!err)
		err = reserve_fill(m->s2, m->op->cookie, &m->reserve, f->tables);
	if (err || !S2_USE_RESHAPE || !(m->t.flags & S2_SPLIT_EDGES) ||
	    !(f->start | f->end) || asks(m))
		return err;
	edges_split(m->s2, m->step, f->start, f->end, &m->reserve);
	if (m->step->wait)
		return S2_MORE;
	err = look(m, f);
	/* Beside others there may be another block. With a budget more may be needed. */
	return err || !(f->start | f->end || m->end < m->t.end) ? err : S2_MORE;
}

/* One window. S2_MORE: more of it is left, for the next step or for the next try. */
static int map_window(struct map *m)
{
	struct found f;
	int err = prepare(m, &f);

	if (err || asks(m))
		return err;
	if (has_runs(m->s2) && (f.taken || f.changed)) {
		run_break(m->s2, m->pos);
		run_break(m->s2, m->end);
	}
	if (S2_USE_REPLACE && f.taken) {
		err = clear_way(m);
		if (err)
			return err;
	}
	/* Visits are left to make it, and no table has gone that the window ends in. */
	if (is_bounded(m->step) &&
	    ((f.taken && f.below) ||
	     m->step->entries < m->op->max_entries / 4 + 2 * S2_LEVELS ||
	     (cleans_new(m) && m->step->bytes < m->end - m->pos)))
		return S2_MORE;
	/* Everything is there already, and needs nothing. */
	if (!f.fresh && !f.changed && !is_shared(m->step))
		return 0;
	if (!publishes_late(m, &f))
		publish(m, m->pos, m->end - m->pos, f.fresh, f.executable);
	if (uniform(&f))
		m->op->changed += f.n;
	else
		f.g = (struct s2_gather){ 0 };
	err = make(m, &f);
	if (S2_USE_IN_PLACE && f.g.start < f.g.end) {
		invalidate(m->s2, m->step, &f.g);
	} else {
		/*
		 * The new entries before the guest runs on: without it the PE that
		 * returns to the guest could walk past its own store and fault once
		 * more. Nothing but progress depends on it: invalid to valid needs
		 * no TLBI, for an invalid entry is never cached.
		 */
		s2_port_dsb_ishst(m->s2->port);
	}
	return err;
}

static int map_steps(struct map *m)
{
	struct s2_op *op = m->op;
	int ret, rounds = 0;

	for (;;) {
		/* As in unmap_steps(). */
		if (!parked_done(m->s2, op, m->step) || !drain_own(m->s2, op, m->step))
			return S2_MORE;
		if (op->st.pos >= m->t.end)
			return 0;
		/* Each window may have an invalidation: so many of them at most (P5). */
		if (is_bounded(m->step) &&
		    (m->step->entries < op->max_entries / 2 || rounds++ == 4))
			return S2_MORE;
		m->pos = op->st.pos;
		ret = map_window(m);
		reserve_drain(m->s2, &m->reserve);
		if (!ret) {
			op->st.pos = m->end;
			op->done = s2_ipa(m->end);
		} else if (ret != S2_MORE || m->step->wait || is_bounded(m->step) ||
			   ++rounds > 4) {
			/*
			 * No table that was made for it, that counted an entry for a
			 * moment, or that an earlier step has cleared, is left empty.
			 * The window is as large as one that the look had visits for.
			 */
			if (ret < 0 &&
			    (is_shared(m->step) || (S2_USE_STEPS && op->st.cleared))) {
				m->step->bounded = false;
				window_sweep(m->s2, op, m->step, m->pos, m->end);
				drain_own(m->s2, op, m->step);
			}
			/* There is no tag to do it with, say: again, then. */
			return m->counted && m->step->wait ? S2_MORE : ret;
		}
	}
}

int map_run(struct s2 *s2, enum op_kind kind, uint64_t ipa, uint64_t what, uint64_t size,
	    s2_attr_t attr, uint32_t flags, struct s2_op *op, uint64_t *needed)
{
	bool note = S2_USE_NOTES && kind == OP_ANNOTATE;
	struct s2_op local;
	struct step step;
	struct map m = { .s2 = s2,
			 .step = &step,
			 .t = { .delta = what - ipa,
				.start = ipa,
				.end = ipa + size,
				.max_leaf = UINT64_MAX,
				.attr = attr,
				.flags = flags },
			 .needed = needed };
	int err = note ? 0 : check_map(s2, ipa, what, size, attr, flags, op);

	if (!err)
		err = op_begin(s2, &op, &local, &step, kind, ipa, size,
			       note ? what : what >> 12 | (uint64_t)attr << 40, flags);
	if (err)
		return err;
	m.op = op;
	m.t.top = target_top(s2, flags);
	if (note) {
		m.t.delta = 0;
		m.t.note = desc_make_note(what);
		m.t.top = s2->start_level;
	}
	/* So no clean of new memory has to stop inside a leaf. */
	if (op->max_bytes && cleans_new(&m))
		m.t.max_leaf = op->max_bytes;
	return op_end(s2, op, &step, map_steps(&m));
}

int s2_tables_needed(struct s2 *s2, s2_ipa_t ipa, s2_pa_t pa, uint64_t size,
		     s2_attr_t attr, uint32_t flags, uint64_t *n)
{
	if (!S2_USE_REPLACE)
		return S2_E_UNSUPPORTED;
	*n = 0;
	return map_run(s2, OP_MAP, ipa.ipa, pa.pa, size, attr, flags & ~S2_SHARED, NULL,
		       n);
}

int map_note(struct s2 *s2, uint64_t ipa, uint64_t size, uint64_t note, uint32_t flags,
	     struct s2_op *op)
{
	if (!S2_USE_NOTES)
		return S2_E_UNSUPPORTED;
	return map_run(s2, OP_ANNOTATE, ipa, note, size, 0, flags, op, NULL);
}
