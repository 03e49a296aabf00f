/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Only leaf entries are removed. */
#include "rule.h"

PROGRAM(good_last_level_only, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2LE1IS, IPA >> 12);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
