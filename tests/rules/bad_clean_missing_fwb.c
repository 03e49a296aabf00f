/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With FWB, the leaf has another type than forced write-back, and is not cleaned. */
#include "rule.h"

PROGRAM(bad_clean_missing_fwb, "clean-missing", S2M_FWB)
{
	set(r, 0, r->l3b, 0, LEAF | NC_FWB | (PA + BLOCK) | 3);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
