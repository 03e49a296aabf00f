/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The leaves have different levels, so there is no hint. */
#include "rule.h"

PROGRAM(good_ttl_mismatch_range, "none", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < PAGES; i++)
		clear(r, 0, r->l3, i);
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 2, 0, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, 3 * BLOCK);
}
