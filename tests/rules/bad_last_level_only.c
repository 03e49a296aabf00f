/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table entry is removed. A last-level TLBI leaves it in the walk caches, and through
 * it the leaves can be read again.
 */
#include "rule.h"

PROGRAM(bad_last_level_only, "last-level-only", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2LE1IS, range(TG_4K, 1, 7, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, BLOCK);
}
