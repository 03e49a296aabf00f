/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty state is cleared and not invalidated. A PE continues to write by the entry that
 * it holds, and marks nothing.
 */
#include "rule.h"

PROGRAM(bad_hw_dirty_lost_cleared, "hw-dirty-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	dsb_ishst(r, 0);
	s2m_dirty_found(r->m, 0, r->l1, IPA, PAGE);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, PAGE);
}
