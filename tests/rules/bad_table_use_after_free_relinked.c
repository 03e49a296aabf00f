/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The program follows a stale pointer and links a table that was freed. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_relinked, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	give(r, 0, r->l3b);
	link_table(r, 0, r->l2, 1, r->l3b);
}
