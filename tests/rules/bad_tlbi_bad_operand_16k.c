/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The granule field is that of 4 KiB. */
#include "rule.h"

PROGRAM_ON(granule_16k, bad_tlbi_bad_operand_16k, "tlbi-bad-operand",
	   S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 1, 31, 0, 0) | r->ipa >> 14);
	finish(r, 0);
	unmapped(r, 0, r->ipa, r->block);
}
