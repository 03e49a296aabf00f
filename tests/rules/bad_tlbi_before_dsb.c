/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The TLBI comes before the DSB, so the walkers may still read the old entry. */
#include "rule.h"

PROGRAM(bad_tlbi_before_dsb, "tlbi-before-dsb", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
