/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The level hint is for the 4 KiB granule. */
#include "rule.h"

PROGRAM_ON(granule_64k, bad_tlbi_bad_operand_64k, "tlbi-bad-operand", S2M_FWB | S2M_TTL)
{
	clear(r, 0, r->l2, 2);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL(TG_4K, 2) | (r->ipa + 2 * r->block) >> 12);
	finish(r, 0);
	unmapped(r, 0, r->ipa + 2 * r->block, r->block);
}
