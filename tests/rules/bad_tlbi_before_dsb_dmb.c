/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A DMB orders stores among each other, but not before a TLBI. */
#include "rule.h"

PROGRAM(bad_tlbi_before_dsb_dmb, "tlbi-before-dsb", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	s2m_barrier(r->m, 0, S2M_DMB_ISH);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
