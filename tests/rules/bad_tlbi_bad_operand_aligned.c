/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Level hint 2 with a start that is not 2 MiB aligned is UNPREDICTABLE. */
#include "rule.h"

PROGRAM(bad_tlbi_bad_operand_aligned, "tlbi-bad-operand", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 1, 7, 2, IPA + 2 * BLOCK + PAGE));
	finish(r, 0);
	unmapped(r, 0, IPA + 2 * BLOCK, BLOCK);
}
