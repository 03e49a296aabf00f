/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bits 51:48 of the table's address belong in [15:12] of the entry. */
#include "rule.h"

PROGRAM_ON(lpa_64k, bad_table_use_after_free_lpa, "table-use-after-free", S2M_FWB)
{
	uint64_t table = take(r, 0);

	s2m_write(r->m, 0, entry(r->l2, 3), table | TABLE, S2M_RELEASE);
}
