/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table entry at level 2 is removed. A hint of level 2 is for leaves at that level. */
#include "rule.h"

PROGRAM(bad_ttl_mismatch_table, "table-use-after-free", S2M_FWB | S2M_TTL)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL_4K(2) | (IPA + BLOCK) >> 12);
	finish(r, 0);
	give(r, 0, r->l3b);
}
