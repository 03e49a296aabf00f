/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The second page is cleared after the DSB that was meant for both. */
#include "rule.h"

PROGRAM(bad_tlbi_before_dsb_late, "tlbi-before-dsb", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	clear(r, 0, r->l3, 1);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, 2 * PAGE);
}
