/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is removed, and a range TLBI covers all that it translated: 512 pages. */
#include "rule.h"

PROGRAM(good_tlbi_misses_range_table, "none", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 1, 7, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, BLOCK);
}
