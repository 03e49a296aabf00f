/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map: look and take tables, (break, invalidate, clean, release what is in the
 * way), make.
 *
 * The first may fail and changes nothing; the rest cannot fail. A call works
 * through its range in windows, the whole range when it has no budget. Replacing
 * something goes through the phases of unmap.c; when those need more than one
 * step, the window is looked at again afterwards, for others may have been there.
 */
#include "internal.h"

enum { COMMIT, FINISH, DRAIN };

struct map {
	struct s2 *s2;
	struct s2_op *op;
	struct step *step;
	uint64_t delta; /* PA - IPA */
	uint64_t end;	/* of the whole range */
	s2_attr_t attr;
	uint32_t flags;
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

/* The level of the leaf to be made for @ipa: the largest that fits. */
static int leaf_level(const struct map *m, uint64_t ipa)
{
	int level = LAST_LEVEL;

	if (m->flags & S2_MAP_PAGES)
		return level;
	while (level > first_block_level(m->s2) && level > m->s2->start_level) {
		uint64_t size = level_size(m->s2, level - 1);

		if ((ipa | m->delta) & (size - 1) || m->end - ipa < size)
			break;
		level--;
	}
	return level;
}

static uint64_t leaf_desc(const struct map *m, uint64_t ipa, int level)
{
	return desc_leaf(m->s2, ipa + m->delta, m->attr, level);
}

/* Whether leaf @d, at the right level, may become what is wanted without a break. */
static bool same_place(const struct map *m, uint64_t d, uint64_t ipa, int level)
{
	return !((d ^ desc_in_place(d, leaf_desc(m, ipa, level))) & ~DESC_IN_PLACE);
}

/*
 * DESC_CONT for a leaf whose whole run is made now, each member anew (S2_MAP_CONT). A
 * step ends between two runs, so that no member is seen without the others for long.
 */
static uint64_t run_hint(const struct map *m, const struct found *f, uint64_t ipa,
			 int level)
{
	uint64_t size = run_size(m->s2, level), base = ipa & ~(size - 1);

	if (!(m->flags & S2_MAP_CONT) || f->present || !size || m->delta & (size - 1) ||
	    base < m->op->st.win || m->op->st.win_end - base < size)
		return 0;
	m->s2->special |= S2_RUNS;
	return DESC_CONT;
}

/*
 * Tables that [ipa, end), inside one empty entry at @level, needs: at each level
 * one for every entry that is not itself a block.
 */
static uint64_t tables_for(const struct map *m, uint64_t ipa, uint64_t end, int level)
{
	uint64_t n = 0;

	for (; level < LAST_LEVEL; level++) {
		unsigned shift = level_shift(m->s2, level);
		uint64_t size = level_size(m->s2, level);
		uint64_t all = ((end - 1) >> shift) - (ipa >> shift) + 1, blocks = 0;

		if (level >= first_block_level(m->s2) && !(m->flags & S2_MAP_PAGES) &&
		    !(m->delta & (size - 1)) && end >> shift > (ipa + size - 1) >> shift)
			blocks = (end >> shift) - ((ipa + size - 1) >> shift);
		n += all - blocks;
	}
	return n;
}

/*
 * A table with nothing in it, left by a replacement that was given up or has not gone
 * on yet, is nothing that is mapped.
 */
static bool table_empty(const struct cursor *c, uint64_t d)
{
	uint64_t state;

	if (!desc_valid_table(d, c->level))
		return false;
	state = state_below(c->s2, d);
	return !meta_live(state) && !meta_busy(state) && !meta_notes(state);
}

/* One entry of the window, for which a leaf or a table is to be made. */
static int look_entry(const struct map *m, struct cursor *c, uint64_t d, int want,
		      struct found *f)
{
	uint64_t past = cursor_base(c) + level_size(c->s2, c->level), diff;
	bool replace = m->flags & S2_MAP_REPLACE;

	if (desc_busy(d) && (!replace || c->step->shared))
		return S2_E_BUSY;
	if (desc_valid_leaf(d, c->level) && c->level == want) {
		diff = d ^ desc_in_place(d, leaf_desc(m, c->ipa, want));
		if (!(diff & ~DESC_IN_PLACE)) {
			f->present = true;
			f->changed |= !!diff;
			f->executable |= m->attr & ~desc_exec(d) & S2_X;
			return 0;
		}
	}
	if (desc_valid(d) && !replace && !table_empty(c, d))
		return S2_E_EXIST;
	f->taken |= desc_valid(d) || desc_busy(d);
	f->noted |= desc_note(d);
	f->fresh = true;
	if (c->level < want)
		f->tables +=
			tables_for(m, c->ipa, past < c->end ? past : c->end, c->level);
	return 0;
}

static int look(const struct map *m, struct found *f)
{
	struct cursor c;

	*f = (struct found){ 0 };
	cursor_start(&c, m->s2, m->step, m->op->st.win, m->op->st.win_end);
	while (cursor_more(&c)) {
		uint64_t d = cursor_load(&c, cursor_entry(&c));
		int want = leaf_level(m, c.ipa), err;

		if (desc_valid_table(d, c.level) && c.level < want) {
			cursor_down(&c, d);
			continue;
		}
		if (c.ipa == m->op->st.win)
			cursor_hint(&c);
		err = look_entry(m, &c, d, want, f);
		if (err)
			return err;
		cursor_next(&c);
	}
	return 0;
}

/*
 * The next window: all that is left, or with a budget so many leaves of one size
 * that looking, breaking, cleaning and making fit into a step.
 */
static uint64_t window_end(const struct map *m)
{
	uint64_t pos = m->op->st.win, size, n, end;
	int level = leaf_level(m, pos);

	if (!m->op->max_entries)
		return m->end;
	size = level_size(m->s2, level);
	n = m->op->max_entries / 8;
	end = m->end - pos < size * n ? m->end & ~(size - 1) : pos + size * n;
	/* Not past the place where a larger block begins. */
	if (level > first_block_level(m->s2) && !(m->flags & S2_MAP_PAGES)) {
		uint64_t larger = (pos | (level_size(m->s2, level - 1) - 1)) + 1;

		if (larger < end)
			end = larger;
	}
	size = run_size(m->s2, level);
	if (m->flags & S2_MAP_CONT && size && (end & ~(size - 1)) > pos)
		end &= ~(size - 1);
	return end;
}

/*
 * False if the entry has to be read again. Without S2_MAP_REPLACE it is an empty table,
 * and beside others it has to stay empty.
 */
static bool break_one_old(const struct map *m, struct cursor *c, uint64_t *entry,
			  uint64_t d, struct s2_gather *g)
{
	uint64_t *meta;

	if (!c->step->shared || m->flags & S2_MAP_REPLACE)
		return break_entry(c, entry, d, d, g);
	/* It was an empty table when it was looked at. */
	if (!desc_is_table(d, c->level)) {
		c->step->wait = true;
		return false;
	}
	meta = table_meta(c->s2, s2_port_table_va(c->s2->port, desc_oa(c->s2, d)));
	if (!table_kill(c, meta)) {
		c->step->wait = true;
		return false;
	}
	if (break_entry(c, entry, d, d, g))
		return true;
	table_revive(c, meta);
	return false;
}

/* Break what is in the way, leaves and whole tables. */
static void break_old(const struct map *m, struct s2_gather *g)
{
	struct cursor c;

	cursor_resume(&c, m->s2, m->step, m->op->st.win, m->op->st.win_end);
	while (cursor_more(&c) && !m->step->wait) {
		uint64_t *entry = cursor_entry(&c);
		uint64_t d = cursor_load(&c, entry), past;
		int want = leaf_level(m, c.ipa);

		if (desc_valid_table(d, c.level) && c.level < want) {
			cursor_down(&c, d);
			continue;
		}
		if (desc_busy(d) && !meet_busy(&c, entry, d, g))
			continue;
		if (desc_valid(d) && (c.level != want || desc_is_table(d, c.level) ||
				      !same_place(m, d, c.ipa, want))) {
			past = cursor_base(&c) + level_size(c.s2, c.level);
			if (desc_is_table(d, c.level) && m->op->dirty)
				harvest_below(m->s2, m->step, cursor_base(&c), past, g);
			if (!break_one_old(m, &c, entry, d, g))
				continue;
			harvest(&c, d, 0);
			if (cursor_base(&c) < m->op->start.ipa)
				m->op->start.ipa = cursor_base(&c);
			if (past > m->op->end.ipa)
				m->op->end.ipa = past;
		}
		cursor_next(&c);
	}
}

void table_fill(struct s2 *s2, uint64_t *table, uint64_t d)
{
	unsigned n = table_entries(s2);

	table_meta(s2, table)[META_STATE] = d ? n * META_NOTE_ONE + META_NOTED : 0;
	for (unsigned i = 0; i < n; i++)
		s2_port_store(s2->port, &table[i], d);
}

/*
 * What is in the table before its link: a walk reads an entry of the table through the
 * address it got from the link, so it needs only that the two stores be ordered.
 * Entries are filled in afterwards, each by one store from invalid to valid.
 */
void make_table(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t *reserve)
{
	uint64_t *table = reserve_take(c->s2, reserve);
	uint64_t link = desc_make_table(c->s2, s2_port_table_pa(c->s2->port, table));

	if (desc_note(d))
		table_fill(c->s2, table, d);
	s2_port_store_release(c->s2->port, entry, link);
	state_add(c, cursor_meta(c),
		  META_LIVE_ONE + META_TABLE_ONE - (desc_note(d) ? META_NOTE_ONE : 0));
	cursor_down(c, link);
	count_made(c, c->level);
}

/*
 * Leaves from the cursor to the end of its table or window, where it is known
 * that every entry is empty; returns how many.
 */
static uint64_t make_run(const struct map *m, const struct found *f,
			 const struct cursor *c, uint64_t *entry)
{
	uint64_t size = level_size(c->s2, c->level), n = cursor_run(c), ipa = c->ipa;
	uint64_t desc = leaf_desc(m, ipa, c->level);

	/* The top bits of an address of 52 are not above the others. */
	if (m->flags & S2_MAP_CONT || m->s2->wide) {
		for (uint64_t i = 0; i < n; i++, ipa += size)
			s2_port_store(c->s2->port, &entry[i],
				      leaf_desc(m, ipa, c->level) |
					      run_hint(m, f, ipa, c->level));
		return n;
	}
	for (uint64_t i = 0; i < n; i++, desc += size)
		s2_port_store(c->s2->port, &entry[i], desc);
	return n;
}

/* For every table on the way to a new leaf, in its state word. */
static uint64_t leaf_flags(const struct map *m)
{
	return meta_of_leaf(m->s2, leaf_desc(m, 0, LAST_LEVEL));
}

/* Cannot fail: every table is in the reserve, whatever was in the way is busy. */
static void make(const struct map *m, const struct found *f, struct s2_gather *g)
{
	bool empty = !f->taken && !f->present && !f->noted;
	uint64_t keep = leaf_flags(m);
	struct cursor c;

	cursor_resume(&c, m->s2, m->step, m->op->st.win, m->op->st.win_end);
	for (int l = m->s2->start_level; l < c.level; l++)
		*cursor_meta_at(&c, l) |= keep;
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *meta = cursor_meta(&c);
		int want = leaf_level(m, c.ipa);
		uint64_t d, new;

		*meta |= keep;
		/* Into entries that are known to be empty: a run, unread. */
		if (empty && c.level == want) {
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
		if (desc_busy(d))
			state_add(&c, meta, UINT64_C(0) - META_BUSY_ONE);
		if (desc_busy(d) && desc_is_table(d, c.level)) {
			state_add(&c, meta, UINT64_C(0) - META_TABLE_ONE);
			limbo_push(m->s2, op_limbo(m->op),
				   s2_port_table_va(m->s2->port, desc_oa(m->s2, d)),
				   c.level + 1);
		}
		if (c.level < want) {
			make_table(&c, entry, d, &m->op->st.reserve);
			m->op->st.reserved--;
			continue;
		}
		new = leaf_desc(m, c.ipa, want);
		if (!desc_valid(d)) {
			s2_port_store(m->s2->port, entry,
				      new | run_hint(m, f, c.ipa, want));
			state_add(&c, meta,
				  META_LIVE_ONE - (desc_note(d) ? META_NOTE_ONE : 0));
			m->op->changed++;
		} else if (d != (new = desc_in_place(d, new))) {
			/*
			 * Same address and type: permissions change in place, and
			 * what was cached with the old ones goes afterwards.
			 */
			if (!cursor_swap(&c, entry, d, new, cursor_racy(&c, d)))
				continue;
			harvest(&c, d, new);
			gather_leaf(g, &c, d);
			m->op->changed++;
		}
		cursor_next(&c);
	}
}

/*
 * Put the first valid entry into an empty place, a leaf or a table (@new at @level).
 * It is counted first: a table that is about to be detached for being empty shows so
 * in the same word, and nothing is put into it (table_kill()). False if the place has
 * been taken meanwhile; *dead if it is of no use any more.
 */
static bool put_beside(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t new,
		       bool *dead)
{
	uint64_t one =
		META_LIVE_ONE + (desc_is_table(new, c->level) ? META_TABLE_ONE : 0);

	*dead = state_add(c, cursor_meta(c), one) & META_DEAD;
	if (!*dead && cursor_swap(c, entry, d, new, false)) {
		if (desc_note(d))
			state_add(c, cursor_meta(c), UINT64_C(0) - META_NOTE_ONE);
		return true;
	}
	state_add(c, cursor_meta(c), UINT64_C(0) - one);
	return false;
}

/*
 * The same beside other calls, each entry by a swap. What was empty at the look may
 * not be now: S2_E_BUSY then, with the entries made before it staying.
 */
static int make_beside(const struct map *m, struct s2_gather *g)
{
	uint64_t keep = leaf_flags(m);
	struct s2_op *op = m->op;
	struct cursor c;
	bool dead;

	cursor_start(&c, m->s2, m->step, op->st.win, op->st.win_end);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), *meta = cursor_meta(&c);
		uint64_t d = cursor_load(&c, entry), new, *table;
		int want = leaf_level(m, c.ipa);

		/* Before the leaf, so that who detaches it knows what it may hold. */
		if (keep & ~state_of(m->s2, meta))
			s2_port_word_or(m->s2->port, &meta[META_STATE], keep);
		if (desc_valid_table(d, c.level) && c.level < want) {
			cursor_down(&c, d);
			continue;
		}
		new = leaf_desc(m, c.ipa, want);
		if (desc_busy(d) ||
		    (desc_valid(d) && (c.level != want || (d ^ new) & ~DESC_IN_PLACE)))
			return S2_E_BUSY;
		if (desc_valid(d)) {
			new = desc_in_place(d, new);
			if (d != new) {
				if (!cursor_swap(&c, entry, d, new, true))
					continue;
				harvest(&c, d, new);
				gather_leaf(g, &c, d);
				op->changed++;
			}
		} else if (c.level < want) {
			if (!op->st.reserve)
				return S2_E_BUSY;
			table = s2_port_table_va(m->s2->port, link_pa(op->st.reserve));
			new = desc_make_table(m->s2, link_pa(op->st.reserve));
			/* Its word is the reserve's until then, so take it first. */
			reserve_take(m->s2, &op->st.reserve);
			if (desc_note(d))
				table_fill(m->s2, table, d);
			if (put_beside(&c, entry, d, new, &dead)) {
				op->st.reserved--;
				count_made(&c, c.level + 1);
				continue;
			}
			if (desc_note(d))
				table_fill(m->s2, table, 0);
			reserve_return(m->s2, &op->st.reserve, table);
			if (dead)
				return S2_E_BUSY;
			continue;
		} else {
			if (!put_beside(&c, entry, d, new, &dead)) {
				if (dead)
					return S2_E_BUSY;
				continue;
			}
			op->changed++;
		}
		cursor_next(&c);
	}
	return 0;
}

/*
 * New memory before its entry: written back to the PoC if the guest may look at
 * it past the caches, and made visible to instruction fetch. False when the
 * step's budget ended it.
 */
static bool publish(const struct map *m, const struct found *f)
{
	struct s2_op *op = m->op;
	bool clean = f->fresh &&
		     desc_needs_clean(m->s2->features, leaf_desc(m, 0, LAST_LEVEL));
	bool execute = m->attr & S2_X && (f->fresh || f->executable);
	uint64_t done = op->st.published, left = op->st.win_end - op->st.win - done;
	uint64_t n = step_bytes(m->s2, m->step, left);
	uint64_t pa = op->st.win + m->delta + done;

	if (m->flags & S2_NO_CLEAN || !(clean || execute) || !left)
		return true;
	if (n && clean) {
		s2_port_clean(m->s2->port, pa, n, m->attr);
		/*
		 * The cleans before the stores that make the entries valid: a guest
		 * that reads past the caches must find the data in memory. A store
		 * is not ordered after a DC by program order; the DSB completes the
		 * cleans of this PE. SY: such reads are outer shareable.
		 */
		s2_port_dsb_sy(m->s2->port);
	}
	if (n && execute)
		s2_port_make_executable(m->s2->port, pa, n);
	m->step->bytes -= n;
	op->st.published += n;
	return n == left;
}

/* Whether the step has its share of visits left, by which windows are measured. */
static bool has_visits(const struct map *m, unsigned share)
{
	return m->step->entries >= m->op->max_entries / share;
}

/*
 * What may fail, before anything changes: look, and take every table that the
 * window, and the blocks at the edges, can need.
 */
static int prepare(const struct map *m, struct found *f)
{
	struct s2_op *op = m->op;
	uint64_t edges = 0;
	int err = 0;

	/* For each window: blocks may have been mapped meanwhile. */
	if (m->flags & S2_MAP_REPLACE && !(m->flags & S2_DROP_EDGES))
		err = edges_need(m->s2, op->st.ipa, m->end, m->flags, &edges);
	op->st.win_end = window_end(m);
	if (!err)
		err = look(m, f);
	if (err)
		return err;
	if (f->tables + edges > op->st.reserved) {
		if (reserve_fill(m->s2, op->cookie, &op->st.reserve,
				 f->tables + edges - op->st.reserved))
			return S2_E_NOMEM;
		op->st.reserved = f->tables + edges;
	}
	if (!edges)
		return 0;
	edges_split(m->s2, m->step, op->st.ipa, m->end, &op->st.reserve);
	op->st.reserved = f->tables;
	m->step->hint_level = -1;
	return look(m, f);
}

/* One window, unless what is in the way takes more than this step. */
static int commit(const struct map *m)
{
	struct s2_op *op = m->op;
	struct s2_gather g = { 0 };
	struct found f;
	int err = prepare(m, &f);

	if (err)
		return err;
	if (!publish(m, &f))
		return S2_MORE;
	if ((f.taken || f.changed) && m->s2->special & S2_RUNS)
		runs_break(m->s2, op->st.win, op->st.win_end);
	if (f.taken) {
		break_old(m, &g);
		invalidate(m->s2, m->step, &g);
		op->st.clean = g.clean && !(m->flags & S2_NO_CLEAN);
		/* A shared call cannot know what is below a table it has detached. */
		if (op->st.clean || m->step->shared) {
			op->st.pos = op->st.win;
			op->st.phase = FINISH;
			return 0;
		}
		g = (struct s2_gather){ 0 };
	}
	if (m->step->shared)
		err = make_beside(m, &g);
	else
		make(m, &f, &g);
	if (g.start < g.end) {
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
	if (err)
		return err;
	op->st.published = 0;
	op->st.win = op->st.win_end;
	op->st.phase = DRAIN;
	return 0;
}

static int map_steps(const struct map *m)
{
	struct s2_op *op = m->op;
	int ret;

	for (;;) {
		switch (op->st.phase) {
		case COMMIT:
			if (op->st.win >= m->end)
				return 0;
			/* Look, break and make take at most an eighth each. */
			if (!has_visits(m, 2) || m->step->wait)
				return S2_MORE;
			ret = commit(m);
			if (ret)
				return ret;
			break;
		case FINISH:
			if (!finish_window(m->s2, op, m->step, op->st.clean,
					   m->flags & S2_NO_CLEAN))
				return S2_MORE;
			op->st.phase = DRAIN;
			break;
		case DRAIN:
			if (!drain_own(m->s2, op, m->step))
				return S2_MORE;
			op->done = s2_ipa(op->st.win);
			op->st.phase = COMMIT;
			break;
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
			 .attr = attr,
			 .flags = flags,
			 .delta = pa - ipa,
			 .end = ipa + size };
	int ret = check_map(s2, ipa, pa, size, attr, flags, op);

	if (!ret)
		ret = op_begin(s2, &op, &local, &step, OP_MAP, ipa, size,
			       pa >> 12 | (uint64_t)attr << 40, flags);
	if (ret)
		return ret;
	m.op = op;
	ret = map_steps(&m);
	if (ret != S2_MORE) {
		reserve_drain(s2, &op->st.reserve);
		op->st.reserved = 0;
	}
	return op_end(s2, op, &step, ret);
}
