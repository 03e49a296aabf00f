/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory is cleaned and invalidated. */
#include "rule.h"

PROGRAM(good_clean_without_invalidate, "none", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
