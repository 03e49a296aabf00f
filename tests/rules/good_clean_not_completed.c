/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* There are many cleans and one DSB SY. */
#include "rule.h"

PROGRAM(good_clean_not_completed, "none", 0)
{
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	civac(r, 0, PA + PAGE, PAGE);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, 2 * PAGE);
}
