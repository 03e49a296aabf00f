/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A fault links a new table where one was detached, before the invalidation. */
#include "rule.h"

PROGRAM(bad_bbm_made_too_early_link, "bbm-made-too-early", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	link_table(r, 0, r->l2, 1, take(r, 0));
}
