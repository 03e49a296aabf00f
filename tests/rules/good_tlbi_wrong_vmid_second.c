/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One tree has two VMIDs, and both are invalidated. */
#include "rule.h"

PROGRAM(good_tlbi_wrong_vmid_second, "none", S2M_FWB)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_enter(r->m, 1, r->l1 | UINT64_C(8) << 48);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
