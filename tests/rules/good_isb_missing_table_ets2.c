/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With FEAT_ETS2 the table may be given back at once. */
#include "rule.h"

PROGRAM(good_isb_missing_table_ets2, "none", S2M_FWB | S2M_ETS2)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	give(r, 0, r->l3b);
}
