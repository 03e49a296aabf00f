/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same without a hint: the address reaches the block too. */
#include "rule.h"

PROGRAM(good_ttl_mismatch_split, "none", S2M_FWB | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	link_table(r, 0, r->l2, 2, table);
	clear(r, 0, table, 3);
	invalidate(r, 0, IPA + 2 * BLOCK + 3 * PAGE);
	unmapped(r, 0, IPA + 2 * BLOCK + 3 * PAGE, PAGE);
}
