/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One more TLBI and DSB at the end of the batch. */
#include "rule.h"

PROGRAM(good_repeat_tlbi_missing, "none", S2M_FWB | S2M_REPEAT_TLBI)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	tlbi_s1(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
