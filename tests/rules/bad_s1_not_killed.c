/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Combined stage-1 and stage-2 entries survive a TLBI by IPA. */
#include "rule.h"

PROGRAM(bad_s1_not_killed, "s1-not-killed", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
