/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * At the rollover everything is invalidated. What is broken afterwards is invalidated for
 * the new VMID.
 */
#include "rule.h"

PROGRAM(good_tlbi_wrong_vmid_rollover_new, "none", S2M_FWB)
{
	s2m_guest_enter(r->m, 1, r->vttbr);
	clear(r, 0, r->l3, 0);
	s2m_guest_leave(r->m, 1);
	s2m_tlbi(r->m, 1, S2M_ALLE1IS, 0);
	dsb_ish(r, 1);
	isb(r, 1);
	s2m_guest_enter(r->m, 1, UINT64_C(8) << 48 | r->l1);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	s2m_handoff(r->m, 1, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
