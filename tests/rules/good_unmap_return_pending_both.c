/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two PEs unmap the same page. PE0 stops after its stage-2 TLBI. PE1 does the whole
 * sequence and returns. Then PE0 continues.
 */
#include "rule.h"

PROGRAM(good_unmap_return_pending_both, "none", S2M_FWB | S2M_REPEAT_TLBI)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	s2m_read(r->m, 1, entry(r->l3, 0));
	dsb_ishst(r, 1);
	tlbi_ipa(r, 1, IPA);
	dsb_ish(r, 0);
	dsb_ish(r, 1);
	tlbi_s1(r, 0);
	tlbi_s1(r, 1);
	dsb_ish(r, 1);
	tlbi_s1(r, 1);
	finish(r, 1);
	unmapped(r, 1, IPA, PAGE);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
