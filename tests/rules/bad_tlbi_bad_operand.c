/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The range TLBI is for another granule. */
#include "rule.h"

PROGRAM(bad_tlbi_bad_operand, "tlbi-bad-operand", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(2, 0, 0, 0, IPA));
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
