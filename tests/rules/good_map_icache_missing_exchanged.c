/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two executable pages exchange their frames. The host has not written them since their
 * instructions were invalidated; for what it writes itself the guest does that.
 */
#include "rule.h"

PROGRAM(good_map_icache_missing_exchanged, "none", S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~XN);
	set(r, 0, r->l3b, 1, page(r, PA + BLOCK + PAGE) & ~XN);
	clear(r, 0, r->l3b, 0);
	clear(r, 0, r->l3b, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA + BLOCK);
	tlbi_ipa(r, 0, IPA + BLOCK + PAGE);
	finish(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK + PAGE) & ~XN);
	set(r, 0, r->l3b, 1, page(r, PA + BLOCK) & ~XN);
}
