/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DSB ISH after the TLBI, which orders loads too. */
#include "rule.h"

PROGRAM(good_tlbi_not_completed, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
