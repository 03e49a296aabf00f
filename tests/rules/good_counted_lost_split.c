/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A counted block becomes pages: nothing is gone. Then one of them goes. */
#include "rule.h"

PROGRAM(good_counted_lost_split, "none", S2M_FWB)
{
	uint64_t table = take(r, 0);

	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK) | COUNTED);
	dsb_ishst(r, 0);
	s2m_note(r->m, "fills a table with the pages of the block, not shown");
	s2m_log(r->m, NULL);
	for (unsigned i = 0; i < 512; i++)
		set(r, 0, table, i, page(r, PA + 2 * BLOCK + i * PAGE) | COUNTED);
	s2m_log(r->m, stdout);
	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	link_table(r, 0, r->l2, 2, table);
	clear(r, 0, table, 1);
	invalidate(r, 0, IPA + 2 * BLOCK + PAGE);
	gone(r, 0, IPA + 2 * BLOCK + PAGE, PA + 2 * BLOCK + PAGE, PAGE);
	unmapped(r, 0, IPA + 2 * BLOCK + PAGE, PAGE);
}
