/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With FWB a frame that is mapped write-back need not be cleaned when it goes. Where it
 * comes back without, it does.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_moved, "map-clean-missing", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3, 0, page(r, PA + BLOCK));
	set(r, 0, r->l3b, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
