/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM level 2, but no software handles the conflict aborts that may occur. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split_unhandled, "bbm-valid-to-valid", S2M_FWB | S2M_BBM2)
{
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
	invalidate(r, 0, IPA + 2 * BLOCK);
}
