/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTTBR_EL2 is switched to the VMID of the guest, and an ISB makes this effective. */
#include "rule.h"

PROGRAM(good_tlbi_wrong_vmid, "none", S2M_FWB)
{
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48);
	isb(r, 0);
	clear(r, 0, r->l3, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, r->vttbr);
	isb(r, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
