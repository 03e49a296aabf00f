/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A lockless walker links a table below one that was detached. The address of the TLBI
 * retires the entry above, but not the entry that the walker made.
 */
#include "rule.h"

PROGRAM(bad_table_use_after_free_late, "table-use-after-free", S2M_FWB)
{
	uint64_t table = take(r, 1);

	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	link_table(r, 1, r->l2, 3, table);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	give(r, 0, table);
}
