/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The owner says that nobody will read the data. */
#include "rule.h"

PROGRAM(good_clean_missing_waived, "none", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_claim_unmapped(r->m, 0, r->l1, IPA, PAGE, S2M_CLAIM_NO_CLEAN);
}
