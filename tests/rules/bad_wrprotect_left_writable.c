/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One of two pages keeps its write permission. */
#include "rule.h"

PROGRAM(bad_wrprotect_left_writable, "wrprotect-left-writable", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, 2 * PAGE);
}
