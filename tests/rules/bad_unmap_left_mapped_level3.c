/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * 33 bits of IPA: 16 root tables at level 3. The last page of the last table is left
 * mapped.
 */
#include "rule.h"

PROGRAM_ON(granule_64k, bad_unmap_left_mapped_level3, "unmap-left-mapped", S2M_FWB)
{
	uint64_t root = s2m_table_take(r->m, 0, 16, 16);

	s2m_fill(r->m, 0, root, 16 * r->page, 0);
	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, T0SZ(33) | SL0(0) | TG0_64K);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	set(r, 0, root, 0, page(r, PA));
	set(r, 0, root, 16 * 8192 - 1, page(r, PA + r->page));
	clear(r, 0, root, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_claim_unmapped(r->m, 0, root, 0, UINT64_C(1) << 33, 0);
}
