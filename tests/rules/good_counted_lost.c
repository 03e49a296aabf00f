/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report between the invalidation and the return. */
#include "rule.h"

PROGRAM(good_counted_lost, "none", S2M_FWB)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
