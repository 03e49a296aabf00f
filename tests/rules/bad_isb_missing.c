/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The PE that issued the TLBI may continue to use what it has fetched. */
#include "rule.h"

PROGRAM(bad_isb_missing, "isb-missing", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
