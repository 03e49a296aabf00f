/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage 1 is invalidated first. A combined entry can be made again from the stage-2
 * entry.
 */
#include "rule.h"

PROGRAM(bad_s1_before_s2, "s1-before-s2", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_s1(r, 0);
	dsb_ish(r, 0);
	tlbi_ipa(r, 0, IPA);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
