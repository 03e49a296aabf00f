/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Level hint 1 of the 16 KiB granule is reserved without LPA2. */
#include "rule.h"

PROGRAM_ON(granule_16k, bad_tlbi_bad_operand_level1, "tlbi-bad-operand",
	   S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_16K, 2, 7, 1, 0) | r->ipa >> 14);
	finish(r, 0);
	unmapped(r, 0, r->ipa + 2 * r->block, r->block);
}
