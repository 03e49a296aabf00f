/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One page of 64 KiB. */
#include "rule.h"

PROGRAM_ON(granule_64k, good_tlbi_misses_range_64k, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, (r->ipa + r->page) >> 12);
	finish(r, 0);
	unmapped(r, 0, r->ipa + r->page, r->page);
}
