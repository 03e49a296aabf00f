/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_ETS2 makes the ISB unnecessary. */
#include "rule.h"

PROGRAM(good_isb_missing_ets2, "none", S2M_FWB | S2M_ETS2)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
