/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hardware marked the page. The exchange returns the mark, and the program ignores it. */
#include "rule.h"

PROGRAM(bad_hw_dirty_lost, "hw-dirty-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_guest_write(r->m, 1, r->l1, IPA);
	s2m_xchg(r->m, 0, entry(r->l3, 0), 0);
	invalidate(r, 0, IPA);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, PAGE);
	unmapped(r, 0, IPA, PAGE);
}
