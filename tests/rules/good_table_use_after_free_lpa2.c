/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bits 51:50 of the table's address are in [9:8] of the entry, 49:48 in place. */
#include "rule.h"

PROGRAM_ON(lpa2_4k, good_table_use_after_free_lpa2, "none", S2M_FWB | S2M_LPA2)
{
	uint64_t table = take(r, 0), oa;

	oa = (table & ~(UINT64_C(3) << 50)) | table >> 50 << 8;
	s2m_write(r->m, 0, entry(r->l2, 3), oa | TABLE, S2M_RELEASE);
}
