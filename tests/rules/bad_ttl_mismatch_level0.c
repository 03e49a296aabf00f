/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With LPA2, level 0 is a level and not the absence of a hint. A page is not at level 0.
 */
#include "rule.h"

PROGRAM_ON(lpa2_4k, bad_ttl_mismatch_level0, "ttl-mismatch", S2M_FWB | S2M_TTL | S2M_LPA2)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL_4K(0) | r->ipa >> 12);
	finish(r, 0);
	unmapped(r, 0, r->ipa, r->page);
}
