/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is freed twice. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_twice, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	give(r, 0, r->l3b);
	give(r, 0, r->l3b);
}
