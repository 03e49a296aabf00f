/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table that was detached and invalidated is linked at another place. */
#include "rule.h"

PROGRAM(good_table_linked_twice, "none", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	link_table(r, 0, r->l2, 3, r->l3b);
}
