/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two counted leaves in a table that is detached, and one report. */
#include "rule.h"

PROGRAM(bad_counted_lost_table, "counted-lost", S2M_FWB)
{
	count_page(r, 0);
	count_page(r, 1);
	clear(r, 0, r->l2, 1);
	invalidate_all(r, 0);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	unmapped(r, 0, IPA + BLOCK, BLOCK);
}
