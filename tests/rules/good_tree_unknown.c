/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTTBR_EL2 has pointed to the tree. */
#include "rule.h"

PROGRAM(good_tree_unknown, "none", S2M_FWB)
{
	uint64_t root = take(r, 0);

	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48 | root);
	s2m_claim_unmapped(r->m, 0, root, IPA, PAGE, 0);
}
