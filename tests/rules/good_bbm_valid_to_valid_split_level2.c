/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * FEAT_BBM level 2: the block is replaced by a table with the same output, and
 * invalidated afterwards.
 */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_split_level2, "none",
	S2M_FWB | S2M_TTL | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	link_table(r, 0, r->l2, 2, table);
	invalidate(r, 0, IPA + 2 * BLOCK);
	clear(r, 0, table, 3);
	invalidate_hint(r, 0, IPA + 2 * BLOCK + 3 * PAGE, 3);
	unmapped(r, 0, IPA + 2 * BLOCK + 3 * PAGE, PAGE);
}
