/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counted leaves: what the program has to report. Each range of a tree whose leaf has
 * stopped being reachable is owed until it is reported, or until the same leaf is made
 * again (a split, a run that loses the Contiguous bit). Neighbours with the same offset
 * from IPA to PA are one range.
 */
#include "internal.h"

static bool counts(const struct machine *m, const struct desc *d)
{
	return d->kind == DESC_LEAF && m->counted >> d->sw & 1;
}

void counted_broken(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d)
{
	struct mark *before;

	if (!counts(m, d))
		return;
	before = ipa ? mark_first(&t->owed, ipa - 1) : NULL;
	if (before && before->end == ipa && before->pa - before->ipa == d->pa - ipa)
		before->end += d->size;
	else
		mark_add(m, &t->owed, ipa, ipa + d->size, d->pa, m->step);
}

/* Takes what is owed of the range with this offset; returns how many bytes it was. */
static uint64_t take(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		     uint64_t delta)
{
	struct mark *o = mark_first(&t->owed, ipa), *next;
	uint64_t bytes = 0;

	for (; o && o->ipa < end; o = next) {
		uint64_t lo = o->ipa > ipa ? o->ipa : ipa;
		uint64_t hi = o->end < end ? o->end : end;

		next = mark_next(o);
		if (o->pa - o->ipa != delta)
			continue;
		bytes += hi - lo;
		if (hi < o->end)
			mark_add(m, &t->owed, hi, o->end, hi + delta, o->step);
		o->end = lo;
		if (o->ipa == lo)
			mark_drop(m, &t->owed, o);
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
	struct mark *o = mark_first(&t->owed, ipa);

	if (!o || o->ipa >= end)
		return false;
	*at = o->ipa;
	*pa = o->pa;
	*step = o->step;
	/* One verdict for the range is enough. */
	while ((o = mark_first(&t->owed, ipa)) && o->ipa < end)
		mark_drop(m, &t->owed, o);
	return true;
}
