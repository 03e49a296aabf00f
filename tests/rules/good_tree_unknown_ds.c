/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTCR_EL2.DS is set on a machine with LPA2. */
#include "rule.h"

PROGRAM_ON(granule_16k, good_tree_unknown_ds, "none", S2M_FWB | S2M_LPA2)
{
	uint64_t root = take(r, 0);

	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, r->g->vtcr | DS);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	s2m_claim_unmapped(r->m, 0, root, 0, r->page, 0);
}
