/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A range TLBI covers an even number of pages, and the third page is missed. */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range_odd, "tlbi-misses-range", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 3; i++)
		clear(r, 0, r->l3, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 0, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, 3 * PAGE);
}
