/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The IPA of IPAS2E1IS counts in 4 KiB, not in granules. */
#include "rule.h"

PROGRAM_ON(granule_64k, bad_tlbi_misses_range_64k, "tlbi-misses-range", S2M_FWB)
{
	clear(r, 0, r->l3, 1);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1IS, (r->ipa + r->page) >> 16);
	finish(r, 0);
	unmapped(r, 0, r->ipa + r->page, r->page);
}
