/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With LPA2 the entry does not hold the shareability. */
#include "rule.h"

PROGRAM_ON(lpa2_4k, good_clean_missing_lpa2, "none", S2M_LPA2)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	civac(r, 0, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
