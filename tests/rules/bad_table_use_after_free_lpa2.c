/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bits 51:50 of the table's address belong in [9:8] of the entry. */
#include "rule.h"

PROGRAM_ON(lpa2_4k, bad_table_use_after_free_lpa2, "table-use-after-free",
	   S2M_FWB | S2M_LPA2)
{
	uint64_t table = take(r, 0);

	s2m_write(r->m, 0, entry(r->l2, 3), table | TABLE, S2M_RELEASE);
}
