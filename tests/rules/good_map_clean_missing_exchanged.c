/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two pages exchange their frames and become non-cacheable: both are broken and
 * invalidated, then cleaned, then made.
 */
#include "rule.h"

PROGRAM(good_map_clean_missing_exchanged, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	tlbi_ipa(r, 0, IPA + PAGE);
	finish(r, 0);
	civac(r, 0, PA, 2 * PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3, 0, (page(r, PA + PAGE) & ~WB_FWB) | NC_FWB);
	set(r, 0, r->l3, 1, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
