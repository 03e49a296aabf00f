/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map: look and take tables, (break, invalidate, clean, release what is in the way),
 * publish the new memory, make.
 *
 * The first may fail and changes nothing; the rest cannot fail. A call works through its
 * range in windows, the whole range when it has no budget. Replacing something goes
 * through the phases of unmap.c. A step begins where the last window ended, with a look.
 */
#include "internal.h"

struct map {
	struct s2 *s2;
	struct s2_op *op;
	struct step *step;
	struct target t;
	uint64_t pos, end; /* the window */
	uint64_t reserve;  /* tables taken and not used yet */
	bool counted;	   /* an entry in a table that may be empty again */
};

/* What a look at a window found. */
struct found {
	uint64_t tables; /* to be taken */
	bool fresh;	 /* an entry becomes valid or gets another address */
	bool taken;	 /* something must be broken first */
	bool noted;	 /* an entry is not empty, but annotated */
	bool present;	 /* a leaf stays, at least its address and type */
	bool changed;	 /* permissions change in place */
	bool executable; /* ... execute among them */
};

/*
 * DESC_CONT for a leaf whose whole run is made now, each member anew (S2_MAP_CONT). A
 * step ends between two runs, so that no member is seen without the others for long.
 */
static uint64_t run_hint(const struct map *m, const struct found *f, uint64_t ipa,
			 int level)
{
	uint64_t size, base;

	if (!S2_USE_RUNS || !(m->t.flags & S2_MAP_CONT) || f->present)
		return 0;
	size = run_size(m->s2, level);
	base = ipa & ~(size - 1);
	if (!size || m->t.delta & (size - 1) || base < m->pos || m->end - base < size)
		return 0;
	m->s2->special |= S2_RUNS;
	return DESC_CONT;
}

/*
 * A table with nothing in it, left by a replacement that was given up or has not gone
 * on yet, is nothing that is mapped.
 */
static bool table_empty(const struct cursor *c, uint64_t d)
{
	return desc_valid_table(d, c->level) && !(state_below(c->s2, d) & META_COUNTS);
}

/* One entry of the window, for which a leaf or a table is to be made. */
static int look_entry(const struct map *m, struct cursor *c, uint64_t d, int want,
		      struct found *f)
{
	uint64_t past = cursor_past(c), new;

	if (desc_busy(d)) {
		if (S2_USE_BATCH && !is_shared(c->step) && desc_tag(d))
			return S2_E_BATCH;
		if (!(m->t.flags & S2_MAP_REPLACE) || is_shared(c->step))
			return S2_E_BUSY;
	}
	if (S2_USE_IN_PLACE && desc_valid_leaf(d, c->level) && c->level == want) {
		new = target_in_place(m->s2, &m->t, d, c->ipa, want);
		if (new) {
			f->present = true;
			f->changed |= d != new;
			f->executable |= m->t.attr & ~desc_exec(d) & S2_X;
			return 0;
		}
	}
	if (desc_valid(d) && !(m->t.flags & S2_MAP_REPLACE)) {
		if (!table_empty(c, d))
			return S2_E_EXIST;
		/* Beside others it may be about to be filled, or detached. */
		if (is_shared(c->step))
			return S2_E_BUSY;
	}
	f->taken |= desc_valid(d) || desc_busy(d);
	f->noted |= desc_note(d);
	f->fresh = true;
	if (c->level < want)
		f->tables += target_tables(m->s2, &m->t, c->ipa,
					   past < c->end ? past : c->end, c->level);
	return 0;
}

static int look(const struct map *m, struct found *f)
{
	struct cursor c;

	*f = (struct found){ 0 };
	cursor_start(&c, m->s2, m->step, m->pos, m->end);
	while (cursor_more(&c)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c));
		int want = target_level(m->s2, &m->t, c.ipa), err;

		if (desc_valid_table(d, c.level) && c.level < want) {
			cursor_down(&c, d);
			continue;
		}
		err = look_entry(m, &c, d, want, f);
		if (err)
			return err;
		cursor_next(&c);
	}
	S2_ASSERT(c.ipa >= c.end);
	return 0;
}

/* Whether new memory is written back to the PoC before the guest gets it. */
static bool cleans_new(const struct map *m)
{
	return !(m->t.flags & S2_NO_CLEAN) &&
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
	if (n == UINT64_MAX)
		return end;
	end = end - m->pos < size * n ? end & ~(size - 1) : m->pos + size * n;
	/* Not past the place where a larger block begins. */
	if (level > first_block_level(m->s2) && !(m->t.flags & S2_MAP_PAGES) &&
	    larger < end)
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
 * one is made. So where it has seen any, each is published just before it is made.
 */
static bool publishes_late(const struct map *m, const struct found *f)
{
	return is_shared(m->step) && f->present;
}

static void publish_late(const struct map *m, const struct found *f, uint64_t ipa,
			 uint64_t size, uint64_t d)
{
	if (publishes_late(m, f))
		publish(m, ipa, size, !desc_valid(d), m->t.attr & ~desc_exec(d) & S2_X);
}

/*
 * Leaves from the cursor to the end of its table or window, where it is known
 * that every entry is empty; returns how many.
 */
static uint64_t make_run(const struct map *m, const struct found *f,
			 const struct cursor *c, uint64_t *entry)
{
	uint64_t size = cursor_size(c), ipa = c->ipa;
	uint64_t n = cursor_run(c, c->step->entries);
	uint64_t desc = target_desc(m->s2, &m->t, ipa, c->level);

	/* The top bits of an address of 52 are not above the others. */
	if ((S2_USE_RUNS && m->t.flags & S2_MAP_CONT) || wide_of(m->s2)) {
		for (uint64_t i = 0; i < n; i++, ipa += size)
			s2_port_store(c->s2->port, &entry[i],
				      target_desc(m->s2, &m->t, ipa, c->level) |
					      run_hint(m, f, ipa, c->level));
		return n;
	}
	for (uint64_t i = 0; i < n; i++, desc += size)
		s2_port_store(c->s2->port, &entry[i], desc);
	return n;
}

/*
 * Permissions of a leaf with the wanted address and type change in place, and what was
 * cached with the old ones goes afterwards. Beside others also where nothing is to be
 * changed: who took a permission away may not have invalidated it yet. False if the entry
 * has to be read again.
 */
static bool make_in_place(const struct map *m, struct cursor *c, uint64_t *entry,
			  uint64_t d, uint64_t new, struct s2_gather *g)
{
	const s2_attr_t all = S2_R | S2_W | S2_X;

	if (d == new) {
		if (is_shared(m->step) && ~m->t.attr & all)
			gather_leaf(g, c);
		return true;
	}
	if (!cursor_swap(c, entry, d, new, cursor_racy(c, d)))
		return false;
	harvest(c, d, new);
	gather_leaf(g, c);
	m->op->changed++;
	return true;
}

/*
 * Exclusively it cannot fail: every table is in the reserve, and whatever was in the way
 * has gone. Beside others what was empty at the look may not be now: S2_E_BUSY then, with
 * the entries made before it staying.
 */
static int make(struct map *m, const struct found *f, struct s2_gather *g)
{
	uint64_t keep = meta_of_leaf(m->s2, target_desc(m->s2, &m->t, 0, LAST_LEVEL));
	bool empty = !f->present && !f->noted && !is_shared(m->step), gone = false;
	struct cursor c;

	cursor_start(&c, m->s2, m->step, m->pos, m->end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *meta = cursor_meta(&c), d, new;
		int want = target_level(m->s2, &m->t, c.ipa);

		/* Before the leaf, so that who detaches it knows what it may hold. */
		state_flag(&c, meta, keep);
		/* Into entries that are known to be empty: a run, unread. */
		if (S2_USE_FAST && empty && c.level == want) {
			uint64_t n = make_run(m, f, &c, entry);

			state_add(&c, meta, n * META_LIVE_ONE);
			m->op->changed += n;
			cursor_on(&c, n - 1);
			cursor_next(&c);
			continue;
		}
		d = cursor_load(&c, entry);
		if (desc_valid_table(d, c.level) && c.level < want) {
			cursor_down(&c, d);
			continue;
		}
		if (S2_USE_IN_PLACE && desc_valid(d)) {
			new = c.level == want && !desc_is_table(d, want) ?
				      target_in_place(m->s2, &m->t, d, c.ipa, want) :
				      0;
			if (!new)
				return S2_E_BUSY;
			publish_late(m, f, c.ipa, level_size(m->s2, want), d);
			if (!make_in_place(m, &c, entry, d, new, g))
				continue;
		} else if (desc_busy(d) || (c.level < want && !m->reserve)) {
			return S2_E_BUSY;
		} else if (c.level < want) {
			m->counted = true;
			if (!put_table(&c, entry, d, &m->reserve, &gone) && gone)
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
	bool replace = S2_USE_REPLACE && m->t.flags & S2_MAP_REPLACE;
	uint64_t edges = 0;
	int err = 0;

	/* From where this step begins: blocks may have been mapped meanwhile. */
	if (replace && !(m->t.flags & S2_DROP_EDGES))
		err = edges_need(m->s2, m->pos, m->t.end, m->t.flags, &edges);
	m->end = window_end(m);
	if (!err)
		err = look(m, f);
	if (!err)
		err = reserve_fill(m->s2, m->op->cookie, &m->reserve, f->tables + edges);
	if (err || !edges || !S2_USE_RESHAPE)
		return err;
	edges_split(m->s2, m->step, m->pos, m->t.end, &m->reserve);
	if (m->step->wait)
		return S2_MORE;
	return look(m, f);
}

/*
 * Break what is in the way, and finish it: 0, S2_MORE or an error. Where a leaf takes the
 * place of a table with more entries than a step may visit, the next step goes on where
 * this one stopped. Then it looks again: between two steps something may have been mapped
 * below that. Not inline: the window is not to be on the stack of every map.
 */
static __attribute__((__noinline__)) int clear_way(struct map *m)
{
	struct s2_op *op = m->op;
	uint64_t start = op->start.ipa, dropped;
	bool again = is_bounded(m->step) && op->st.cleared > m->pos &&
		     op->st.cleared < m->end;
	int level = target_level(m->s2, &m->t, m->pos);
	struct window w;

	window_init(&w, m->s2, op, m->step, again ? op->st.cleared : m->pos, m->end,
		    m->t.flags);
	w.target = &m->t;
	if (again && w.start & (level_size(m->s2, level) - 1))
		w.apart = level;
	/* A run may have been made across it. */
	if (again && has_runs(m->s2))
		run_break(m->s2, w.start);
	op->start = s2_ipa(m->pos);
	window_run(&w);
	dropped = op->start.ipa;
	op->start.ipa = start < dropped ? start : dropped;
	/*
	 * A block that was put across the window's start since the last window went
	 * whole, with what this operation had made: that is made again (P15).
	 */
	if (dropped < m->pos && m->pos > op->st.ipa) {
		op->st.pos = dropped > op->st.ipa ? dropped : op->st.ipa;
		op->done = s2_ipa(op->st.pos);
		return S2_MORE;
	}
	/*
	 * A block that lies across the place where the last step stopped: from its start.
	 */
	op->st.cleared = w.edge ? 0 : w.to;
	return again || w.to < m->end || w.edge || m->step->wait ? S2_MORE : 0;
}

/* One window. S2_MORE: more of it is left, for the next step or for the next try. */
static int map_window(struct map *m)
{
	struct s2_gather g = { 0 };
	struct found f;
	int err = prepare(m, &f);

	if (err)
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
	/* As much as the look has taken is left for making. */
	if (is_bounded(m->step) && (m->step->entries < m->op->max_entries / 4 ||
				    (cleans_new(m) && m->step->bytes < m->end - m->pos)))
		return S2_MORE;
	if (!publishes_late(m, &f))
		publish(m, m->pos, m->end - m->pos, f.fresh, f.executable);
	err = make(m, &f, &g);
	if (S2_USE_IN_PLACE && g.start < g.end) {
		invalidate(m->s2, m->step, &g);
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
	int ret, tries = 0;

	for (;;) {
		if (!drain_own(m->s2, op, m->step) ||
		    (is_bounded(m->step) && m->step->entries < op->max_entries / 2))
			return S2_MORE;
		if (op->st.pos >= m->t.end)
			return 0;
		if (!parked_done(m->s2, op, m->step))
			return S2_MORE;
		m->pos = op->st.pos;
		ret = map_window(m);
		reserve_drain(m->s2, &m->reserve);
		if (!ret) {
			op->st.pos = m->end;
			op->done = s2_ipa(m->end);
		} else if (ret != S2_MORE || m->step->wait || is_bounded(m->step) ||
			   ++tries > 4) {
			/*
			 * No table that was made for it, or that counted an entry for
			 * a moment, is left empty. Exclusively only a later step fails,
			 * and none after it would free tables: the next call finds them.
			 */
			if (ret < 0 && is_shared(m->step))
				window_sweep(m->s2, op, m->step, m->pos, m->end);
			/* There is no tag to do it with, say: again, then. */
			return m->counted && m->step->wait ? S2_MORE : ret;
		}
	}
}

int map_range(struct s2 *s2, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	      uint32_t flags, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	struct map m = { .s2 = s2,
			 .step = &step,
			 .t = { .delta = pa - ipa,
				.end = ipa + size,
				.max_leaf = UINT64_MAX,
				.attr = attr,
				.flags = flags } };
	int ret = check_map(s2, ipa, pa, size, attr, flags, op);

	if (!ret)
		ret = op_begin(s2, &op, &local, &step, OP_MAP, ipa, size,
			       pa >> 12 | (uint64_t)attr << 40, flags);
	if (ret)
		return ret;
	m.op = op;
	/* So no clean of new memory has to stop inside a leaf. */
	if (op->max_bytes && cleans_new(&m))
		m.t.max_leaf = op->max_bytes;
	return op_end(s2, op, &step, map_steps(&m));
}
