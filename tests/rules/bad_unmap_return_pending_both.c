/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two PEs unmap the same page, and PE1 relies on PE0's stage-2 TLBI, which is not
 * complete when PE1 begins with stage 1.
 */
#include "rule.h"

PROGRAM(bad_unmap_return_pending_both, "unmap-return-pending", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	s2m_read(r->m, 1, entry(r->l3, 0));
	finish(r, 1);
	unmapped(r, 1, IPA, PAGE);
	finish(r, 0);
}
