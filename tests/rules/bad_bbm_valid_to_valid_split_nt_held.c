/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 1: nT was set, but the block without nT may still be held. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split_nt_held, "bbm-valid-to-valid",
	S2M_FWB | S2M_BBM1 | S2M_CONFLICTS)
{
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK) | NT);
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
	invalidate(r, 0, IPA + 2 * BLOCK);
}
