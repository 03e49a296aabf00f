/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Level hint 2 with a start aligned to 512 MiB. */
#include "rule.h"

PROGRAM_ON(granule_64k, good_tlbi_bad_operand_aligned_64k, "none",
	   S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS,
		 range(TG_64K, 2, 7, 2, 0) | (r->ipa + 2 * r->block) >> 16);
	finish(r, 0);
	unmapped(r, 0, r->ipa + 2 * r->block, r->block);
}
