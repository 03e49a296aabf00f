/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * After a collapse in place the pages may be held beside the block. One address of the
 * block is not enough for them.
 */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range_collapse, "tlbi-misses-range",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS)
{
	split(r, 0);
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK));
	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	unmapped(r, 0, IPA + 2 * BLOCK, BLOCK);
}
