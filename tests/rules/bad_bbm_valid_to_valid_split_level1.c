/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 1 needs nT in the block. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split_level1, "bbm-valid-to-valid",
	S2M_FWB | S2M_BBM1 | S2M_CONFLICTS)
{
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
	invalidate(r, 0, IPA + 2 * BLOCK);
}
