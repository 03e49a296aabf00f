/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* It is cleaned once it is write-protected: nobody writes it after that. */
#include "rule.h"

PROGRAM(good_map_clean_missing_protected, "none", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3b, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
}
