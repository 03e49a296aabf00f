/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTTBR_EL2 holds another guest's VMID. */
#include "rule.h"

PROGRAM(bad_tlbi_wrong_vmid, "tlbi-wrong-vmid", S2M_FWB)
{
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48);
	isb(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
