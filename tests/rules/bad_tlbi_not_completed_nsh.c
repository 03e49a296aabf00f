/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DSB NSH after the TLBI waits for this PE only. */
#include "rule.h"

PROGRAM(bad_tlbi_not_completed_nsh, "tlbi-not-completed", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	s2m_barrier(r->m, 0, S2M_DSB_NSH);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
