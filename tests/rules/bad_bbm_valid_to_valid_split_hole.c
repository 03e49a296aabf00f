/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table that replaces a block lacks a page of the block. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split_hole, "bbm-valid-to-valid",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	set(r, 0, table, 5, 0);
	link_table(r, 0, r->l2, 2, table);
	invalidate(r, 0, IPA + 2 * BLOCK);
}
