/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is given back before the PE that issued the TLBI has synchronised. */
#include "rule.h"

PROGRAM(bad_isb_missing_table, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	give(r, 0, r->l3b);
}
