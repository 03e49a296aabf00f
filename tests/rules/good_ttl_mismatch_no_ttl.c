/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without FEAT_TTL the field is ignored. */
#include "rule.h"

PROGRAM(good_ttl_mismatch_no_ttl, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, TTL_4K(2) | IPA >> 12);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
