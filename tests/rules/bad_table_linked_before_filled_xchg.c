/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An exchange with no order of its own links the table. */
#include "rule.h"

PROGRAM(bad_table_linked_before_filled_xchg, "table-linked-before-filled", S2M_FWB)
{
	uint64_t table = take(r, 0);

	set(r, 0, table, 0, page(r, PA + BLOCK));
	s2m_xchg(r->m, 0, entry(r->l2, 4), table | TABLE);
}
