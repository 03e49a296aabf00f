/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is detached with the tables below it, and one of those is freed first. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_below, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA);
	give(r, 0, r->l3);
	finish(r, 0);
}
