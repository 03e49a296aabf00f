/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Only PE0 has ever run the guest, so no other TLB has its entries. */
#include "rule.h"

PROGRAM(good_tlbi_not_broadcast, "none", S2M_FWB)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_leave(r->m, 0);
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_VMALLS12E1, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
