/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* There are two concatenated root tables, and the unmap visits only the first. */
#include "rule.h"

PROGRAM(bad_unmap_left_mapped_roots, "unmap-left-mapped", S2M_FWB)
{
	uint64_t root = s2m_table_take(r->m, 0, 2, 2);

	s2m_fill(r->m, 0, root, 2 * PAGE, 0);
	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, 24 | 1 << 6);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48 | root);
	isb(r, 0);
	set(r, 0, root, 511, block(r, 0));
	set(r, 0, root, 512, block(r, UINT64_C(1) << 30));
	clear(r, 0, root, 511);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_claim_unmapped(r->m, 0, root, 0, UINT64_C(1) << 40, 0);
}
