/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bits 51:48 of the root are in VTTBR_EL2[5:2]. */
#include "rule.h"

PROGRAM_ON(lpa_64k, good_tree_unknown_vttbr, "none", S2M_FWB)
{
	uint64_t root = take(r, 0);

	s2m_sysreg(r->m, 0, S2M_VTCR_EL2, r->g->vtcr);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	s2m_claim_unmapped(r->m, 0, root, 0, r->page, 0);
}
