/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A block that hardware had marked is split into pages that are clean. */
#include "rule.h"

PROGRAM(bad_hw_dirty_lost_split, "hw-dirty-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l2, 2), (block(r, PA + 2 * BLOCK) & ~WRITE) | DBM);
	invalidate(r, 0, IPA + 2 * BLOCK);
	s2m_guest_write(r->m, 1, r->l1, IPA + 2 * BLOCK);
	s2m_xchg(r->m, 0, entry(r->l2, 2), 0);
	invalidate(r, 0, IPA + 2 * BLOCK);
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
	s2m_claim_harvested(r->m, 0, r->l1, IPA + 2 * BLOCK, BLOCK);
}
