/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* No DSB after the last TLBI. */
#include "rule.h"

PROGRAM(bad_tlbi_not_completed, "tlbi-not-completed", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
