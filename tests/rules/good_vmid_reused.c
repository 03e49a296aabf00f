/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The VMID is invalidated before another tree gets it. */
#include "rule.h"

PROGRAM(good_vmid_reused, "none", S2M_FWB)
{
	uint64_t root = take(r, 0);

	s2m_guest_enter(r->m, 1, r->vttbr);
	s2m_guest_leave(r->m, 1);
	tlbi_all(r, 1);
	dsb_ish(r, 1);
	isb(r, 1);
	s2m_guest_enter(r->m, 1, vttbr(VMID, root));
}
