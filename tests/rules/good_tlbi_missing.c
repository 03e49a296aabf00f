/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DSB ISHST, stage-2 TLBI, DSB ISH, stage-1 TLBI, DSB ISH, ISB. */
#include "rule.h"

PROGRAM(good_tlbi_missing, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
