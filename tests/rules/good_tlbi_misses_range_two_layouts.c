/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A machine with LPA2 and a guest without DS. The range TLBIs of the guest count in
 * granules.
 */
#include "rule.h"

PROGRAM(good_tlbi_misses_range_two_layouts, "none", S2M_FWB | S2M_LPA2 | S2M_TLBIRANGE)
{
	uint64_t root = take(r, 0), l2 = take(r, 0), l3 = take(r, 0);
	uint64_t at = IPA + 3 * PAGE;

	for (unsigned i = 0; i < 4; i++)
		set(r, 0, l3, i, page(r, PA + BLOCK + i * PAGE));
	set(r, 0, l2, 0, address(r, l3) | TABLE);
	set(r, 0, root, 1, address(r, l2) | TABLE);
	dsb_ishst(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, granule_4k.vtcr | PS_48);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	clear(r, 0, l3, 3);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 0, 0, at));
	finish(r, 0);
	s2m_claim_unmapped(r->m, 0, root, at, PAGE, 0);
}
