/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The thread moves to PE1 between the TLBI and its DSB. */
#include "rule.h"

PROGRAM(bad_dsb_other_pe, "dsb-other-pe", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	s2m_handoff(r->m, 0, 1);
	dsb_ish(r, 1);
	isb(r, 1);
	unmapped(r, 1, IPA, PAGE);
}
