/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A page is removed, mapped again with the access flag clear, and removed again. No TLB
 * holds the second entry, but one may hold the first.
 */
#include "rule.h"

PROGRAM(bad_tlbi_missing_access, "tlbi-missing", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	set(r, 0, r->l3, 0, page(r, PA) & ~AF);
	clear(r, 0, r->l3, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
