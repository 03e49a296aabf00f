/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report between the clean and its DSB. */
#include "rule.h"

PROGRAM(bad_counted_early_clean, "counted-early", 0)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	civac(r, 0, PA + BLOCK, PAGE);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
}
