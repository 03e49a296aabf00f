/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Compare-and-swap fails if hardware was there first. An entry with the flag set
 * is not written by hardware at all.
 */
#include "rule.h"

PROGRAM(good_hw_update_lost_af, "none", S2M_FWB | S2M_HAFDBS)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	s2m_cas(r->m, 0, entry(r->l3b, 0), page(r, PA + BLOCK) & ~AF,
		page(r, PA + BLOCK));
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~WRITE);
	invalidate(r, 0, IPA + BLOCK);
}
