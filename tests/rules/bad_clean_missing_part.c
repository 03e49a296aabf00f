/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All of a block is cleaned, except the page of the last line. */
#include "rule.h"

PROGRAM(bad_clean_missing_part, "clean-missing", 0)
{
	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	civac(r, 0, PA + 2 * BLOCK, BLOCK - PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA + 2 * BLOCK, BLOCK);
}
