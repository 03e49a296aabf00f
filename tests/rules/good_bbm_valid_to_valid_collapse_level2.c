/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * FEAT_BBM level 2: a table is replaced by a block. Every page of it is invalidated
 * before the table is given back.
 */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_collapse_level2, "none",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS | S2M_TLBIRANGE)
{
	uint64_t table = split(r, 0);

	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK));
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 1, 7, 0, IPA + 2 * BLOCK));
	finish(r, 0);
	give(r, 0, table);
}
