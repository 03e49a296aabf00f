/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The link waits for the end of the invalidation. */
#include "rule.h"

PROGRAM(good_bbm_made_too_early_link, "none", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	link_table(r, 0, r->l2, 1, take(r, 0));
}
