/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Write permission is removed in place, which needs a TLBI too. */
#include "rule.h"

PROGRAM(bad_tlbi_missing_wrprotect, "tlbi-missing", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	dsb_ish(r, 0);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, PAGE);
}
