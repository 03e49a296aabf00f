/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page that never had its access flag set is in no TLB. */
#include "rule.h"

PROGRAM(good_tlbi_missing_access, "none", S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	clear(r, 0, r->l3b, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
