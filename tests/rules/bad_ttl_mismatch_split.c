/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A block was split in place and not invalidated. When a page of it is removed, a hint
 * for the level of the page leaves the block.
 */
#include "rule.h"

PROGRAM(bad_ttl_mismatch_split, "ttl-mismatch",
	S2M_FWB | S2M_TTL | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	link_table(r, 0, r->l2, 2, table);
	clear(r, 0, table, 3);
	invalidate_hint(r, 0, IPA + 2 * BLOCK + 3 * PAGE, 3);
	unmapped(r, 0, IPA + 2 * BLOCK + 3 * PAGE, PAGE);
}
