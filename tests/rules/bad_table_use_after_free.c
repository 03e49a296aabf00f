/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is detached and freed before the TLBI: a walk cache may point to it. */
#include "rule.h"

PROGRAM(bad_table_use_after_free, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	give(r, 0, r->l3b);
	tlbi_ipa(r, 0, IPA + BLOCK);
	finish(r, 0);
}
