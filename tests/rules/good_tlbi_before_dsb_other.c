/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Store-release by PE0, load-acquire by PE1: PE1's DSB covers PE0's write. */
#include "rule.h"

PROGRAM(good_tlbi_before_dsb_other, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	s2m_handoff(r->m, 0, 1);
	invalidate(r, 1, IPA);
	unmapped(r, 1, IPA, PAGE);
}
