/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* It is mapped again in between. */
#include "rule.h"

PROGRAM(good_counted_twice, "none", S2M_FWB)
{
	for (int i = 0; i < 2; i++) {
		count_page(r, 0);
		clear(r, 0, r->l3b, 0);
		invalidate(r, 0, IPA + BLOCK);
		gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	}
}
