/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With VTCR_EL2.DS = 1 the start counts in units of 64 KiB, and the size still in
 * granules.
 */
#include "rule.h"

PROGRAM_ON(lpa2_4k, good_tlbi_misses_range_ds, "none", S2M_FWB | S2M_TLBIRANGE | S2M_LPA2)
{
	for (unsigned i = 0; i < PAGES; i++)
		clear(r, 0, r->l3, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 3, 0, 0) | r->ipa >> 16);
	finish(r, 0);
	unmapped(r, 0, r->ipa, PAGES * r->page);
}
