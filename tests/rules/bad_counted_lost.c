/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An unmap that reports nothing. */
#include "rule.h"

PROGRAM(bad_counted_lost, "counted-lost", S2M_FWB)
{
	count_page(r, 0);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
