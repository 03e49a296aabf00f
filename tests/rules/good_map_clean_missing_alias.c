/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame is mapped twice. When one mapping is removed, the other one may be changed
 * without a clean, because the memory has not come back.
 */
#include "rule.h"

PROGRAM(good_map_clean_missing_alias, "none", 0)
{
	set(r, 0, r->l3b, 0, page(r, PA));
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
	set(r, 0, r->l3b, 1, page(r, PA));
}
