/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 zeroed the table and handed it over. PE0 fills more of it. */
#include "rule.h"

PROGRAM(good_table_linked_before_filled_second, "none", S2M_FWB)
{
	uint64_t table = take(r, 1);

	s2m_handoff(r->m, 1, 0);
	s2m_write(r->m, 0, table + 8, 2, S2M_PLAIN);
	link_table(r, 0, r->l2, 3, table);
}
