/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page is unmapped and nothing is invalidated. */
#include "rule.h"

PROGRAM(bad_tlbi_missing, "tlbi-missing", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
