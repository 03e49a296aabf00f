/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 filled the table and handed it over. */
#include "rule.h"

PROGRAM(good_table_linked_before_filled_other, "none", S2M_FWB)
{
	uint64_t table = take(r, 1);

	s2m_handoff(r->m, 1, 0);
	link_table(r, 0, r->l2, 3, table);
}
