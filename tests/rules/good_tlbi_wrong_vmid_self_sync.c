/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As bad_tlbi_wrong_vmid_no_isb, for a program whose register writes synchronise. */
#include "rule.h"

PROGRAM(good_tlbi_wrong_vmid_self_sync, "none", S2M_FWB | S2M_SELF_SYNC | S2M_ETS2)
{
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(9) << 48);
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, r->vttbr);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
