/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Device memory is never cleaned. */
#include "rule.h"

PROGRAM(good_clean_missing_device, "none", 0)
{
	set(r, 0, r->l3b, 0, LEAF | DEVICE | (PA + BLOCK) | 3);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
