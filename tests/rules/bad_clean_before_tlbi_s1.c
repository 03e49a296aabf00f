/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The clean comes between the two stages: a combined entry may still write. */
#include "rule.h"

PROGRAM(bad_clean_before_tlbi_s1, "clean-before-tlbi", 0)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	dsb_ish(r, 0);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	tlbi_s1(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
