/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A DMB ISHST is enough as well. */
#include "rule.h"

PROGRAM(good_table_linked_before_filled_dmb, "none", S2M_FWB)
{
	uint64_t table = take(r, 0);

	s2m_barrier(r->m, 0, S2M_DMB_ISHST);
	set(r, 0, r->l2, 3, table | TABLE);
}
