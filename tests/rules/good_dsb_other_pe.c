/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The thread moves after its DSB and ISB. */
#include "rule.h"

PROGRAM(good_dsb_other_pe, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_handoff(r->m, 0, 1);
	unmapped(r, 1, IPA, PAGE);
}
