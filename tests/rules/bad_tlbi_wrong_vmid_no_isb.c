/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTTBR_EL2 is switched without an ISB: the TLBI may act on the old VMID. */
#include "rule.h"

PROGRAM(bad_tlbi_wrong_vmid_no_isb, "tlbi-wrong-vmid", S2M_FWB)
{
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48);
	isb(r, 0);
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, r->vttbr);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
