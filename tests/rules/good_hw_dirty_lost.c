/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the exchange returns says whether the page is dirty. */
#include "rule.h"

PROGRAM(good_hw_dirty_lost, "none", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_guest_write(r->m, 1, r->l1, IPA);
	if (s2m_xchg(r->m, 0, entry(r->l3, 0), 0) & WRITE)
		s2m_dirty_found(r->m, 0, r->l1, IPA, PAGE);
	s2m_guest_write(r->m, 1, r->l1, IPA + PAGE);
	invalidate(r, 0, IPA);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, PAGE);
	unmapped(r, 0, IPA, PAGE);
}
