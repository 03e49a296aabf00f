/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One table is linked at two places. */
#include "rule.h"

PROGRAM(bad_table_linked_twice, "table-linked-twice", S2M_FWB)
{
	link_table(r, 0, r->l2, 3, r->l3b);
}
