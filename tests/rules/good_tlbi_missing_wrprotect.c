/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Write permission is removed in place, and the old permission is invalidated. */
#include "rule.h"

PROGRAM(good_tlbi_missing_wrprotect, "none", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, PAGE);
}
