/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An exchange returns what hardware wrote last. */
#include "rule.h"

PROGRAM(good_hw_update_lost, "none", S2M_FWB | S2M_HAFDBS)
{
	s2m_xchg(r->m, 0, entry(r->l3, 0), (page(r, PA) & ~WRITE) | DBM);
	invalidate(r, 0, IPA);
	s2m_xchg(r->m, 0, entry(r->l3, 0), 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
