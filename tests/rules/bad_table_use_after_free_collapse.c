/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 2 makes the break unnecessary, but not the invalidation. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_collapse, "table-use-after-free",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = split(r, 0);

	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK));
	give(r, 0, table);
}
