/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The invalidation has completed. The ISB may come later. */
#include "rule.h"

PROGRAM(good_bbm_made_too_early, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	set(r, 0, r->l3, 0, page(r, PA + 6 * PAGE));
}
