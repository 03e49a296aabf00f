/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A guest's only mapping is removed and invalidated by its address, and the last PE
 * leaves it. PEs hold nothing under its VMID, and another tree may have it.
 */
#include "rule.h"

PROGRAM(good_vmid_reused_emptied, "none", S2M_FWB)
{
	uint64_t root = take(r, 0), second = take(r, 0);

	s2m_guest_enter(r->m, 1, vttbr(9, root));
	set(r, 0, root, 1, block(r, PA));
	clear(r, 0, root, 1);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, root));
	isb(r, 0);
	invalidate(r, 0, IPA);
	s2m_guest_leave(r->m, 1);
	s2m_guest_enter(r->m, 1, vttbr(9, second));
}
