/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report before the last DSB of the invalidation. */
#include "rule.h"

PROGRAM(bad_counted_early, "counted-early", S2M_FWB)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA + BLOCK);
	dsb_ish(r, 0);
	tlbi_s1(r, 0);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	dsb_ish(r, 0);
	isb(r, 0);
}
