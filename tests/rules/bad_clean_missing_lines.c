/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All of a page is cleaned, except its last line. */
#include "rule.h"

PROGRAM(bad_clean_missing_lines, "clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE - 64);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
