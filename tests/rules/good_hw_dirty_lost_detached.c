/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The entries of a detached table are read once the TLBI has completed. */
#include "rule.h"

PROGRAM(good_hw_dirty_lost_detached, "none", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	clear(r, 0, r->l2, 0);
	s2m_guest_write(r->m, 1, r->l1, IPA);
	invalidate_all(r, 0);
	if (s2m_read(r->m, 0, entry(r->l3, 0)) & WRITE)
		s2m_dirty_found(r->m, 0, r->l1, IPA, PAGE);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, PAGE);
	unmapped(r, 0, IPA, BLOCK);
}
