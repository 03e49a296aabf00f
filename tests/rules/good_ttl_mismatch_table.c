/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Table entries above the level of the hint are invalidated too. */
#include "rule.h"

PROGRAM(good_ttl_mismatch_table, "none", S2M_FWB | S2M_TTL)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL_4K(3) | (IPA + BLOCK) >> 12);
	finish(r, 0);
	give(r, 0, r->l3b);
}
