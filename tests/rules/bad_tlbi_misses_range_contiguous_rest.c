/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Half of a run is broken and invalidated, then the other half. In between a PE could
 * still translate all of the run by the other half, so both halves need the second TLBI.
 */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range_contiguous_rest, "tlbi-misses-range",
	S2M_FWB | S2M_TLBIRANGE)
{
	make_run(r, 0);
	for (unsigned i = 0; i < 8; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 3, 0, IPA + BLOCK));
	finish(r, 0);
	for (unsigned i = 8; i < 16; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 3, 0, IPA + BLOCK + 8 * PAGE));
	finish(r, 0);
	unmapped(r, 0, IPA + BLOCK, 8 * PAGE);
}
