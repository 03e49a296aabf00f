/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Batches: many unmaps, one invalidation. What is broken in a batch keeps its markers,
 * tagged with the batch's number, until the flush. The ranges are remembered here so that
 * the flush, in flush.c, need not search.
 */
#include "internal.h"

/* Changes of one kind that follow each other are one place. */
static void add_place(struct s2_batch *b, const struct s2_gather *g)
{
	struct s2_gather *last;

	/* Only empty tables' notes went, which nothing can have cached. */
	if (g->start == g->end)
		return;
	last = b->places && b->places <= S2_PLAN_OPS ? &b->place[b->places - 1] : NULL;
	if (last && g->start <= last->end && g->end >= last->start &&
	    g->stride == last->stride) {
		gather_add(last, g->start, g->end - g->start, g->stride);
		last->levels |= g->levels;
		last->table |= g->table;
		return;
	}
	/* One more than there is room for: the whole VMID. */
	if (b->places < S2_PLAN_OPS)
		b->place[b->places] = *g;
	if (b->places <= S2_PLAN_OPS)
		b->places++;
}

/* Ranges are exact: what one caller waives lies beside what another wants clean. */
static void add_range(struct s2_batch *b, uint64_t start, uint64_t end, bool clean)
{
	struct s2_batch_range *last = b->ranges ? &b->range[b->ranges - 1] : NULL;

	if (last && start <= last->end && end >= last->start && clean == last->clean) {
		if (start < last->start)
			last->start = start;
		if (end > last->end)
			last->end = end;
		return;
	}
	S2_ASSERT(!batch_full(b));
	b->range[b->ranges++] = (struct s2_batch_range){ start, end, clean };
}

void batch_add(struct s2_batch *b, const struct s2_gather *g, uint64_t start,
	       uint64_t end, bool clean)
{
	add_place(b, g);
	add_range(b, start, end, clean);
}

void batch_page(struct s2_batch *b, uint64_t ipa, uint64_t size, bool clean)
{
	/* Pages come in order, or from all over, and then it is the whole VMID soon. */
	if (b->places <= S2_PLAN_OPS) {
		struct s2_batch_range *range = b->range + b->ranges;
		struct s2_gather *place = b->place + b->places, g = { 0 };

		if (b->places && place[-1].end == ipa && place[-1].stride == size &&
		    range[-1].end == ipa && range[-1].clean == clean) {
			range[-1].end = place[-1].end = ipa + size;
			return;
		}
		gather_add(&g, ipa, size, size);
		g.levels = 1u << LAST_LEVEL;
		add_place(b, &g);
	}
	add_range(b, ipa, ipa + size, clean);
}

bool batch_pending(const struct s2_batch *b, uint64_t ipa, uint64_t size)
{
	for (unsigned i = 0; i < b->ranges; i++)
		if (b->range[i].start < ipa + size && b->range[i].end > ipa)
			return true;
	return false;
}
