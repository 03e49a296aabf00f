/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DSB ISHST is enough between the write and the TLBI. */
#include "rule.h"

PROGRAM(good_tlbi_before_dsb, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
