/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last block of 512 GiB, at level 0 of 52 bits of IPA, is left. */
#include "rule.h"

PROGRAM_ON(lpa2_4k, bad_unmap_left_mapped_level0, "unmap-left-mapped", S2M_FWB | S2M_LPA2)
{
	uint64_t root = s2m_table_take(r->m, 0, 16, 16);

	s2m_fill(r->m, 0, root, 16 * r->page, 0);
	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, T0SZ(52) | SL0(2) | PS_52 | DS);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	set(r, 0, root, 8191, block(r, UINT64_C(1) << 51));
	s2m_claim_unmapped(r->m, 0, root, 0, UINT64_C(1) << 52, 0);
}
