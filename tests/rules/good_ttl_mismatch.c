/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A level-3 entry is removed, and the hint says level 3. */
#include "rule.h"

PROGRAM(good_ttl_mismatch, "none", S2M_FWB | S2M_TTL)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL_4K(3) | IPA >> 12);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
