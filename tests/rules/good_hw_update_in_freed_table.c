/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* After the invalidation no walker updates it any more. */
#include "rule.h"

PROGRAM(good_hw_update_in_freed_table, "none", S2M_FWB | S2M_HAFDBS)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	give(r, 0, r->l3b);
}
