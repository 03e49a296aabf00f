/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* 2,048 granules of 16 KiB: all that the table translated. */
#include "rule.h"

PROGRAM_ON(granule_16k, good_tlbi_bad_operand_16k, "none", S2M_FWB | S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_16K, 1, 31, 0, 0) | r->ipa >> 14);
	finish(r, 0);
	unmapped(r, 0, r->ipa, r->block);
}
