/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of one guest is detached and invalidated, then linked under another's root. */
#include "rule.h"

PROGRAM(good_table_linked_twice_tree, "none", S2M_FWB)
{
	uint64_t root = take(r, 0), below = take(r, 0);

	link_table(r, 0, root, 1, below);
	s2m_sysreg(r->m, 1, S2M_VTTBR_EL2, vttbr(9, root));
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	link_table(r, 0, below, 1, r->l3b);
}
