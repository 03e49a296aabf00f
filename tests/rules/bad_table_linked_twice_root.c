/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is detached, not invalidated, and becomes the root of another guest. */
#include "rule.h"

PROGRAM(bad_table_linked_twice_root, "table-linked-twice", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	s2m_sysreg(r->m, 1, S2M_VTTBR_EL2, vttbr(9, r->l3b));
}
