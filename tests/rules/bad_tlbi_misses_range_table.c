/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is removed. One address inside retires the table entry, but not the leaves. */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range_table, "tlbi-misses-range", S2M_FWB)
{
	clear(r, 0, r->l2, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, BLOCK);
}
