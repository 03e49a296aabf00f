/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An entry in the freed table has its access flag clear, and hardware sets the flag
 * there.
 */
#include "rule.h"

PROGRAM(bad_hw_update_in_freed_table, "hw-update-in-freed-table", S2M_FWB | S2M_HAFDBS)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	give(r, 0, r->l3b);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
}
