/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A non-cacheable page becomes write-back, cleaned and invalidated in between. */
#include "rule.h"

PROGRAM(good_map_clean_missing_past, "none", S2M_FWB)
{
	set(r, 0, r->l3b, 0, (page(r, PA + BLOCK) & ~WB_FWB) | NC_FWB);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	civac(r, 0, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
