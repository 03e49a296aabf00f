/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same, and a PE did write by the entry in the detached table. */
#include "rule.h"

PROGRAM(bad_hw_dirty_lost_marked, "hw-dirty-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	clear(r, 0, r->l2, 0);
	s2m_read(r->m, 0, entry(r->l3, 0));
	s2m_guest_write(r->m, 1, r->l1, IPA);
	invalidate_all(r, 0);
	s2m_claim_harvested(r->m, 0, r->l1, IPA, PAGE);
}
