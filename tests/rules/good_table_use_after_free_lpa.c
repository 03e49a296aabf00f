/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bits 51:48 of the table's address are in [15:12] of the entry. */
#include "rule.h"

PROGRAM_ON(lpa_64k, good_table_use_after_free_lpa, "none", S2M_FWB)
{
	uint64_t table = take(r, 0), oa;

	oa = (table & ~(UINT64_C(15) << 48)) | table >> 48 << 12;
	s2m_write(r->m, 0, entry(r->l2, 3), oa | TABLE, S2M_RELEASE);
}
