/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table of one guest is detached, not invalidated, and linked under another guest's
 * root, at the same IPA and level. The first guest may still walk it.
 */
#include "rule.h"

PROGRAM(bad_table_linked_twice_tree, "table-linked-twice", S2M_FWB)
{
	uint64_t root = take(r, 0), below = take(r, 0);

	link_table(r, 0, root, 1, below);
	s2m_sysreg(r->m, 1, S2M_VTTBR_EL2, vttbr(9, root));
	clear(r, 0, r->l2, 1);
	link_table(r, 0, below, 1, r->l3b);
}
