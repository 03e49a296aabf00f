/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two pages are unmapped and both are invalidated, under the same DSBs. */
#include "rule.h"

PROGRAM(good_tlbi_misses_range, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	tlbi_ipa(r, 0, IPA + PAGE);
	finish(r, 0);
	unmapped(r, 0, IPA, 2 * PAGE);
}
