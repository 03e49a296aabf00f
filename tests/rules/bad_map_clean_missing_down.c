/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two pages exchange their frames and become non-cacheable. Both are cleaned before the
 * break; the first entry that is made has the frame that the second had.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_down, "map-clean-missing", S2M_FWB)
{
	civac(r, 0, PA, 2 * PAGE);
	dsb_sy(r, 0);
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	tlbi_ipa(r, 0, IPA + PAGE);
	finish(r, 0);
	set(r, 0, r->l3, 0, (page(r, PA + PAGE) & ~WB_FWB) | NC_FWB);
}
