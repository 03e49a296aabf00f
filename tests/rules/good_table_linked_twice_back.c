/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table that was detached comes back to its entry: a PE that may walk it may. */
#include "rule.h"

PROGRAM(good_table_linked_twice_back, "none", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	link_table(r, 0, r->l2, 1, r->l3b);
}
