/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With FWB a page moves to another address and becomes non-cacheable there. It is cleaned
 * before its old entry is broken, so the guest writes it through the cache once more.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_early, "map-clean-missing", S2M_FWB)
{
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3b, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
