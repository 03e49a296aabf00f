/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both pages lose write permission. */
#include "rule.h"

PROGRAM(good_wrprotect_left_writable, "none", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	set(r, 0, r->l3, 1, page(r, PA + PAGE) & ~WRITE);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, 2 * PAGE);
}
