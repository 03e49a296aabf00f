/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 1: the block that replaces a table has nT at first. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_collapse_level1, "none",
	S2M_FWB | S2M_BBM1 | S2M_CONFLICTS)
{
	uint64_t table = split(r, 0);

	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK) | NT);
	invalidate_all(r, 0);
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK));
	invalidate(r, 0, IPA + 2 * BLOCK);
	give(r, 0, table);
}
