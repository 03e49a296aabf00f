/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 1: nT, invalidation, table, invalidation. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_split_level1, "none", S2M_FWB | S2M_BBM1 | S2M_CONFLICTS)
{
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK) | NT);
	invalidate(r, 0, IPA + 2 * BLOCK);
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
	invalidate(r, 0, IPA + 2 * BLOCK);
}
