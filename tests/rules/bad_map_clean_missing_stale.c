/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page is broken at its old address and cleaned, but a PE may still write it by a
 * translation that is not invalidated.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_stale, "map-clean-missing", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
