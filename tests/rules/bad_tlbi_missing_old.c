/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The access flag was cleared without a TLBI. The older version, with the flag set, may
 * be cached when the entry is removed.
 */
#include "rule.h"

PROGRAM(bad_tlbi_missing_old, "tlbi-missing", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~AF);
	clear(r, 0, r->l3, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
