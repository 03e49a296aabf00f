/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An exception return synchronises the context, as an ISB does. */
#include "rule.h"

PROGRAM(good_isb_missing, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	s2m_guest_enter(r->m, 0, r->vttbr);
	unmapped(r, 0, IPA, PAGE);
}
