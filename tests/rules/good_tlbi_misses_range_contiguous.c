/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All members of a Contiguous run are invalidated. */
#include "rule.h"

PROGRAM(good_tlbi_misses_range_contiguous, "none", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	for (unsigned i = 0; i < 16; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 7, 0, IPA + BLOCK));
	finish(r, 0);
	unmapped(r, 0, IPA + BLOCK, 16 * PAGE);
}
