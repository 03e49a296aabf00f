/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Another tree gets the VMID while PEs hold translations of the first tree. */
#include "rule.h"

PROGRAM(bad_vmid_reused, "vmid-reused", S2M_FWB)
{
	uint64_t root = take(r, 0);

	s2m_guest_enter(r->m, 1, r->vttbr);
	s2m_guest_leave(r->m, 1);
	s2m_guest_enter(r->m, 1, vttbr(VMID, root));
}
