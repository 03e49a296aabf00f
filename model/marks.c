/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sets of ranges of a tree, with the memory that each mapped: what the program has still
 * to record or to report (dirty.c, counted.c).
 */
#include "internal.h"

#define SLAB 512u

static int cmp_mark(const struct mark *a, const struct mark *b)
{
	return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

RB_PROTOTYPE(marks, mark, rb, cmp_mark)
RB_GENERATE(marks, mark, rb, cmp_mark)

struct mark *mark_first(struct marks *set, uint64_t ipa)
{
	struct mark *x = RB_ROOT(set), *best = NULL;

	while (x) {
		if (x->end > ipa) {
			best = x;
			x = RB_LEFT(x, rb);
		} else {
			x = RB_RIGHT(x, rb);
		}
	}
	return best;
}

struct mark *mark_next(struct mark *x)
{
	return RB_NEXT(marks, NULL, x);
}

void mark_add(struct machine *m, struct marks *set, uint64_t ipa, uint64_t end,
	      uint64_t pa, uint64_t step)
{
	struct mark *x = m->mark_free;

	if (!x) {
		struct mark *slab = slab_new(m, SLAB * sizeof(*slab));

		for (unsigned i = 0; i < SLAB; i++)
			slab[i].next = i + 1 < SLAB ? &slab[i + 1] : NULL;
		x = slab;
	}
	m->mark_free = x->next;
	*x = (struct mark){ .ipa = ipa, .end = end, .pa = pa, .step = step };
	RB_INSERT(marks, set, x);
}

void mark_drop(struct machine *m, struct marks *set, struct mark *x)
{
	RB_REMOVE(marks, set, x);
	x->next = m->mark_free;
	m->mark_free = x;
}
