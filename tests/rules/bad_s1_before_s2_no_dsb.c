/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without a DSB between them TLBIs are unordered. */
#include "rule.h"

PROGRAM(bad_s1_before_s2_no_dsb, "s1-before-s2", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	tlbi_s1(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
