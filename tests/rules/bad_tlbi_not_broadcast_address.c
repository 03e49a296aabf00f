/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same by address. */
#include "rule.h"

PROGRAM(bad_tlbi_not_broadcast_address, "tlbi-not-broadcast", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_IPAS2E1, IPA >> 12);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
