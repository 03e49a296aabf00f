/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page could not be written when it was broken, but before it was write-protected
 * it could, and it was cleaned before that.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_protected, "map-clean-missing", S2M_FWB)
{
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3b, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
