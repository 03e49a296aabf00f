/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same leaf is reported twice. */
#include "rule.h"

PROGRAM(bad_counted_twice, "counted-twice", S2M_FWB)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
}
