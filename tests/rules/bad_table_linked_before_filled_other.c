/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 filled the table. The release by PE0 orders only what PE0 has seen. */
#include "rule.h"

PROGRAM(bad_table_linked_before_filled_other, "table-linked-before-filled", S2M_FWB)
{
	uint64_t table = take(r, 1);

	link_table(r, 0, r->l2, 3, table);
}
