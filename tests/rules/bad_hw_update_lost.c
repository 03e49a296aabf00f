/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plain store removes write permission from an entry that hardware may make dirty. What
 * hardware wrote after the read is lost.
 */
#include "rule.h"

PROGRAM(bad_hw_update_lost, "hw-update-lost", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_read(r->m, 0, entry(r->l3, 0));
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
