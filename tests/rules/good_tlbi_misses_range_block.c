/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Any address of a block, or of what a table entry translates, reaches its entry. */
#include "rule.h"

PROGRAM(good_tlbi_misses_range_block, "none", S2M_FWB)
{
	clear(r, 0, r->l2, 2);
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA + 2 * BLOCK + 5 * PAGE);
	tlbi_ipa(r, 0, IPA + BLOCK + 9 * PAGE);
	finish(r, 0);
	unmapped(r, 0, IPA + BLOCK, 2 * BLOCK);
	give(r, 0, r->l3b);
}
