/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With LPA2 the 16 KiB granule has blocks of 64 GiB, and a hint for them. */
#include "rule.h"

PROGRAM_ON(lpa2_16k, good_tlbi_bad_operand_level1, "none",
	   S2M_FWB | S2M_TLBIRANGE | S2M_LPA2)
{
	set(r, 0, r->l1, 2, block(r, UINT64_C(1) << 36));
	clear(r, 0, r->l1, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_16K, 3, 31, 1, 0) | 2 * r->ipa >> 16);
	finish(r, 0);
	unmapped(r, 0, 2 * r->ipa, r->ipa);
}
