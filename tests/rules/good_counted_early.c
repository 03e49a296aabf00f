/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report after the invalidation and after the clean. */
#include "rule.h"

PROGRAM(good_counted_early, "none", 0)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	civac(r, 0, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
}
