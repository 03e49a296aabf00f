/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In a world where every leaf is counted: each that was made, wherever it was put, is
 * still mapped or has been reported exactly once, when no PE could use it.
 */
#include "nested.h"

void count_wrote(uint64_t base, int level, uint64_t old, uint64_t desc)
{
	const struct s2 *s2 = &world.bed.s2;
	uint64_t size = level_size(s2, level);

	/* Not when a split, or a change in place, makes it again. */
	if (!world.counted || !desc_valid_leaf(desc, level) || desc_valid(old) ||
	    (desc_busy(old) && old & DESC_REMAKE))
		return;
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];

		if ((p->ipa ^ base) & ~(size - 1))
			continue;
		p->counted++;
		p->counted_pa += desc_oa(s2, desc) + (p->ipa & (size - 1));
	}
}

void count_gone(const struct count_gone *g)
{
	for (unsigned i = 0; i < world.probes; i++) {
		struct probe *p = &world.probe[i];
		uint64_t pa = g->pa + (p->ipa - g->ipa);

		if (p->ipa < g->ipa || p->ipa - g->ipa >= g->size)
			continue;
		if (!world.counted || !p->counted)
			nested_fail("counted-twice", "0x%" PRIx64 " to 0x%" PRIx64,
				    p->ipa, pa);
		p->counted--;
		p->counted_pa -= pa;
		/* Another map has made the same leaf meanwhile. */
		if (p->now.state == LEAF && p->now.pa == pa)
			continue;
		for (unsigned k = 0; k < p->items; k++)
			if (!p->item[k].table && p->item[k].end && p->item[k].pa == pa)
				nested_fail("counted-early",
					    "0x%" PRIx64
					    ": a PE may still use 0x%" PRIx64,
					    p->ipa, pa);
	}
}

void count_all(void)
{
	for (unsigned i = 0; world.counted && i < world.probes; i++) {
		const struct probe *p = &world.probe[i];
		bool leaf = p->now.state == LEAF;

		if (p->counted != leaf || (leaf && p->counted_pa != p->now.pa))
			nested_fail("counted-lost",
				    "0x%" PRIx64 ": %u leaves are neither mapped nor "
				    "reported",
				    p->ipa, p->counted - leaf);
	}
}
