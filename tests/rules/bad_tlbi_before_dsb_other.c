/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 executes the DSB, but PE0, which wrote, has not handed over. */
#include "rule.h"

PROGRAM(bad_tlbi_before_dsb_other, "tlbi-before-dsb", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 1, IPA);
	unmapped(r, 0, IPA, PAGE);
}
