/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Level hint 2 of the 64 KiB granule needs a start aligned to 512 MiB, not 2 MiB. */
#include "rule.h"

PROGRAM_ON(granule_64k, bad_tlbi_bad_operand_aligned_64k, "tlbi-bad-operand",
	   S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS,
		 range(TG_64K, 2, 7, 2, 0) | (r->ipa + 2 * r->block + BLOCK) >> 16);
	finish(r, 0);
	unmapped(r, 0, r->ipa + 2 * r->block, r->block);
}
