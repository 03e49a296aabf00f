/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a map finds in its range: leaves that stay and change in place; and what is in the
 * way, which goes through the phases of unmap.c.
 */
#include "internal.h"

/* Software bits and a missing access flag are in no TLB. */
static bool must_invalidate(uint64_t d, uint64_t new)
{
	return (d ^ new) & ~(DESC_SW | DESC_AF);
}

/*
 * A leaf that stays, and becomes @new. Pages behind it that continue it are looked at in
 * one loop, and made in one if all of the window are such: exclusively nothing changes in
 * between but what hardware writes.
 */
void look_in_place(const struct map *m, struct cursor *c, uint64_t *entry, uint64_t d,
		   uint64_t new, struct found *f)
{
	uint64_t size = cursor_size(c), n = 1;

	f->present = true;
	f->changed |= d != new;
	/* One that reaches beyond the window is published as a whole, when it changes. */
	f->executable |= cursor_covers(c) && m->t.attr & ~desc_exec(d) & S2_X;
	f->uniform &= c->level == LAST_LEVEL &&
		      new == target_desc(m->s2, &m->t, c->ipa, LAST_LEVEL);
	if (uniform(f)) {
		/* As many as look() may go beyond its part of the budget. */
		uint64_t most = is_bounded(c->step) && m->op->max_entries ?
					m->op->max_entries / 8 :
					c->step->entries;
		const uint64_t *end = entry + cursor_run(c, most);

		n = (uint64_t)(leaves_from(m->s2, entry + 1, end, d, size) - entry);
		step_visits(c->step, n - 1);
		if (must_invalidate(d, new)) {
			gather_add(&f->g, c->ipa, n * size, size);
			f->g.levels = 1u << LAST_LEVEL;
		}
		f->n += d != new ? n : 0;
		cursor_on(c, n - 1);
	}
}

/*
 * Permissions of a leaf with the wanted address and type change in place, and what was
 * cached with the old ones goes afterwards. Beside others also where they are as wanted:
 * who took a permission away may not have invalidated it yet. False if the entry has to
 * be read again.
 */
bool make_in_place(const struct map *m, struct cursor *c, uint64_t *entry, uint64_t d,
		   uint64_t new, struct s2_gather *g)
{
	const s2_attr_t all = S2_R | S2_W | S2_X;

	if (d != new) {
		if (!cursor_swap(c, entry, d, new, cursor_racy(c, d)))
			return false;
		harvest(c, d, new);
		m->op->changed++;
	}
	if (must_invalidate(d, new) || (is_shared(m->step) && ~m->t.attr & all))
		gather_leaf(g, c);
	return true;
}

/*
 * Where a leaf takes the place of a table with more entries than a step may visit, the
 * next step goes on where this one stopped. Then it looks again: between two steps
 * something may have been mapped below that.
 */
int clear_way(struct map *m)
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
		w.edge = true;
	}
	/* A block across the place where the last step stopped: from its start. */
	op->st.cleared = w.edge ? UINT64_MAX : w.to;
	return again || w.to < m->end || w.edge || m->step->wait ? S2_MORE : 0;
}
