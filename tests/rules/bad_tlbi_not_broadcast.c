/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The form without IS reaches this PE only. */
#include "rule.h"

PROGRAM(bad_tlbi_not_broadcast, "tlbi-not-broadcast", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_VMALLS12E1, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
