/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A compare-and-swap links the table, and releases the earlier stores. */
#include "rule.h"

PROGRAM(good_table_linked_before_filled_cas, "none", S2M_FWB)
{
	uint64_t table = take(r, 0);

	set(r, 0, table, 0, page(r, PA + BLOCK));
	s2m_cas(r->m, 0, entry(r->l2, 4), 0, table | TABLE);
}
