/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nobody has handed over, but PE1 has read what PE0 wrote. Then every PE reads it, and
 * the DSB and the TLBI of PE1 are enough.
 */
#include "rule.h"

PROGRAM(good_tlbi_before_dsb_read, "none", S2M_FWB)
{
	for (unsigned i = 0; i < 4; i++)
		clear(r, 0, r->l3, i);
	s2m_read(r->m, 1, entry(r->l3, 2));
	invalidate(r, 1, IPA + 2 * PAGE);
	unmapped(r, 1, IPA + 2 * PAGE, PAGE);
}
