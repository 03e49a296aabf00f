/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table entry is retired first, by one address. Then the last level is enough for its
 * leaves.
 */
#include "rule.h"

PROGRAM(good_last_level_only_after, "none", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	dsb_ish(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2LE1IS, range(TG_4K, 1, 7, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, BLOCK);
}
