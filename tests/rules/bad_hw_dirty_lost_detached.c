/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entries of a table are read, and then the table is detached. Until the TLBI has
 * completed, hardware marks pages in it.
 */
#include "rule.h"

PROGRAM(bad_hw_dirty_lost_detached, "hw-dirty-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_read(r->m, 0, entry(r->l3, 0));
	clear(r, 0, r->l2, 0);
	s2m_read(r->m, 0, entry(r->l3, 0));
	invalidate_all(r, 0);
	s2m_dirty_found(r->m, 0, r->l1, IPA + PAGE, 7 * PAGE);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, 8 * PAGE);
	unmapped(r, 0, IPA, BLOCK);
}
