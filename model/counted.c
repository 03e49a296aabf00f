/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counted leaves: what the program has to report. Each range of a tree whose leaf has
 * stopped being reachable is owed until it is reported, or until the same leaf is made
 * again (a split, a run that loses the Contiguous bit).
 */
#include "internal.h"

#define SLAB 256u

/* Ranges do not overlap. Neighbours with the same offset from IPA to PA are one. */
struct owed {
	RB_ENTRY(owed) rb;
	struct owed *next; /* the next free one, if free */
	uint64_t ipa, end, pa;
	uint64_t step;
};

static int cmp_owed(const struct owed *a, const struct owed *b)
{
	return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

RB_PROTOTYPE(oweds, owed, rb, cmp_owed)
RB_GENERATE(oweds, owed, rb, cmp_owed)

/* The first that ends after ipa. */
static struct owed *first(struct oweds *set, uint64_t ipa)
{
	struct owed *o = RB_ROOT(set), *best = NULL;

	while (o) {
		if (o->end > ipa) {
			best = o;
			o = RB_LEFT(o, rb);
		} else {
			o = RB_RIGHT(o, rb);
		}
	}
	return best;
}

static void add(struct machine *m, struct oweds *set, uint64_t ipa, uint64_t end,
		uint64_t pa, uint64_t step)
{
	struct owed *o = m->owed_free;

	if (!o) {
		struct owed *slab = slab_new(m, SLAB * sizeof(*slab));

		for (unsigned i = 0; i < SLAB; i++)
			slab[i].next = i + 1 < SLAB ? &slab[i + 1] : NULL;
		o = slab;
	}
	m->owed_free = o->next;
	*o = (struct owed){ .ipa = ipa, .end = end, .pa = pa, .step = step };
	RB_INSERT(oweds, set, o);
}

static void drop(struct machine *m, struct oweds *set, struct owed *o)
{
	RB_REMOVE(oweds, set, o);
	o->next = m->owed_free;
	m->owed_free = o;
}

static bool counts(const struct machine *m, const struct desc *d)
{
	return d->kind == DESC_LEAF && m->counted >> d->sw & 1;
}

void counted_broken(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d)
{
	struct owed *before;

	if (!counts(m, d))
		return;
	before = ipa ? first(&t->owed, ipa - 1) : NULL;
	if (before && before->end == ipa && before->pa - before->ipa == d->pa - ipa)
		before->end += d->size;
	else
		add(m, &t->owed, ipa, ipa + d->size, d->pa, m->step);
}

/* Takes what is owed of the range with this offset; returns how many bytes it was. */
static uint64_t take(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		     uint64_t delta)
{
	struct owed *o = first(&t->owed, ipa), *next;
	uint64_t bytes = 0;

	for (; o && o->ipa < end; o = next) {
		uint64_t lo = o->ipa > ipa ? o->ipa : ipa;
		uint64_t hi = o->end < end ? o->end : end;

		next = RB_NEXT(oweds, &t->owed, o);
		if (o->pa - o->ipa != delta)
			continue;
		bytes += hi - lo;
		if (hi < o->end)
			add(m, &t->owed, hi, o->end, hi + delta, o->step);
		o->end = lo;
		if (o->ipa == lo)
			drop(m, &t->owed, o);
	}
	return bytes;
}

void counted_made(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d)
{
	if (counts(m, d))
		take(m, t, ipa, ipa + d->size, d->pa - ipa);
}

bool counted_told(struct machine *m, struct tree *t, uint64_t ipa, uint64_t pa,
		  uint64_t size)
{
	return take(m, t, ipa, ipa + size, pa - ipa) == size;
}

bool counted_owed(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		  uint64_t *at, uint64_t *pa, uint64_t *step)
{
	struct owed *o = first(&t->owed, ipa);

	if (!o || o->ipa >= end)
		return false;
	*at = o->ipa;
	*pa = o->pa;
	*step = o->step;
	/* One verdict for the range is enough. */
	while ((o = first(&t->owed, ipa)) && o->ipa < end)
		drop(m, &t->owed, o);
	return true;
}
