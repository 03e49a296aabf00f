/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An entry goes from valid to invalid to valid without an invalidation in between. */
#include "rule.h"

PROGRAM(bad_bbm_made_too_early, "bbm-made-too-early", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	set(r, 0, r->l3, 0, page(r, PA + 6 * PAGE));
}
