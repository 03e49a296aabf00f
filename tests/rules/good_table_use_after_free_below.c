/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is detached with the tables below it. After one flush all are freed. */
#include "rule.h"

PROGRAM(good_table_use_after_free_below, "none", S2M_FWB)
{
	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	give(r, 0, r->l3);
	give(r, 0, r->l3b);
	give(r, 0, r->l2);
}
