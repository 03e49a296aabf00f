/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A non-cacheable page becomes write-back at the same address. What the guest wrote past
 * the cache is hidden by a line that was filled before.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_past, "map-clean-missing", S2M_FWB)
{
	set(r, 0, r->l3b, 0, (page(r, PA + BLOCK) & ~WB_FWB) | NC_FWB);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
