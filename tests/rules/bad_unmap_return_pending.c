/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PE1 finds the range empty and returns while PE0 is between break and
 * invalidate.
 */
#include "rule.h"

PROGRAM(bad_unmap_return_pending, "unmap-return-pending", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	unmapped(r, 1, IPA, PAGE);
	invalidate(r, 0, IPA);
}
