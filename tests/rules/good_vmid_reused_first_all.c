/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All VMIDs are invalidated when the PEs have come up. */
#include "rule.h"

PROGRAM(good_vmid_reused_first_all, "none", S2M_FWB | S2M_COLD_TLBS)
{
	uint64_t root = take(r, 0);

	s2m_tlbi(r->m, 0, S2M_ALLE1IS, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_guest_enter(r->m, 1, vttbr(9, root));
}
