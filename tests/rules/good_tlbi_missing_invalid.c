/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An entry that was invalid, or whose access flag is 0, is in no TLB. */
#include "rule.h"

PROGRAM(good_tlbi_missing_invalid, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
	set(r, 0, r->l3, 0, page(r, PA) & ~AF);
	clear(r, 0, r->l3, 0);
	unmapped(r, 0, IPA, PAGE);
}
