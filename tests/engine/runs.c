/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contiguous runs in the differential run: which there are is read from the engine after
 * each step, and judged where the reference knows that there must be one, or none. That
 * members are alike is meta_check()'s.
 */
#include <inttypes.h>

#include "internal.h"
#include "world.h"

static unsigned mark(uint64_t d, int level)
{
	return desc_valid_leaf(d, level) && d & DESC_CONT ? (unsigned)level : 0;
}

void runs_widen_call(const struct world *w, uint64_t *lo, uint64_t *hi)
{
	const struct flat_run *r = flat_at(&w->runs, *lo);

	if (r && r->ipa < *lo)
		*lo &= ~(run_size(&w->s2, (int)r->attr) - 1);
	r = flat_at(&w->runs, *hi);
	if (r && r->ipa < *hi)
		*hi = ((*hi - 1) | (run_size(&w->s2, (int)r->attr) - 1)) + 1;
}

/* Whether every run that could be made in [lo, hi) is one. */
static bool all_made(const struct world *w, const struct flat *now, const struct call *c)
{
	for (uint64_t at = c->ipa; at < c->ipa + c->size;) {
		const struct flat_run *r = flat_at(&w->flat, at), *n;
		uint64_t size = run_size(&w->s2, r->level), from, to;

		to = r->end < c->ipa + c->size ? r->end : c->ipa + c->size;
		from = at;
		at = to;
		if (!size || (c->pa - c->ipa) & (size - 1))
			continue;
		from = (from + size - 1) & ~(size - 1);
		to &= ~(size - 1);
		n = flat_at(now, from);
		if (from < to && (!n || n->ipa > from || n->end < to))
			return false;
	}
	return true;
}

bool runs_step(struct world *w, const struct call *c, bool at_once)
{
	static struct flat now;
	uint64_t lo = c->from, hi = c->to;
	bool makes = c->flags & S2_MAP_CONT;

	w->cont |= makes;
	if (!w->cont)
		return true;
	/* The rest of a run that is no longer one lies beside the range. */
	runs_widen_call(w, &lo, &hi);
	flat_read_marks(&now, &w->s2, lo, hi, mark);
	for (unsigned i = 0; i < now.n; i++) {
		for (uint64_t at = now.run[i].ipa, end; at < now.run[i].end; at = end) {
			const struct flat_run *was = flat_at(&w->runs, at);
			bool there = was && was->ipa <= at;

			end = now.run[i].end;
			if (was && (there ? was->end : was->ipa) < end)
				end = there ? was->end : was->ipa;
			if (there && was->attr == now.run[i].attr)
				continue;
			if (!makes || at < c->ipa || end > c->ipa + c->size)
				return world_wrong(w, "%s makes a run at 0x%" PRIx64,
						   c->kind->name, at);
		}
	}
	if (makes && at_once && c->empty && !c->op.max_entries && !c->op.max_bytes &&
	    !all_made(w, &now, c))
		return world_wrong(w, "map: a run is not made");
	flat_take(&w->runs, &now, lo, hi);
	return true;
}
