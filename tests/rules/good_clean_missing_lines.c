/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All of a page is cleaned, in pieces that leave no line out. */
#include "rule.h"

PROGRAM(good_clean_missing_lines, "none", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA + PAGE / 2 + 1, PAGE / 2 - 1);
	dsb_sy(r, 0);
	civac(r, 0, PA, PAGE / 2 - 63);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
