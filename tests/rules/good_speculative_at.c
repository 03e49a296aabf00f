/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Stage 1 cannot be walked while VTTBR_EL2 does not belong to it. */
#include "rule.h"

PROGRAM(good_speculative_at, "none", S2M_FWB | S2M_SPECULATIVE_AT)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_leave(r->m, 0);
	s2m_sysreg(r->m, 0, S2M_TCR_EL1, EPD);
	s2m_sysreg(r->m, 0, S2M_SCTLR_EL1, SCTLR_M);
	isb(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	s2m_tlbi(r->m, 0, S2M_VMALLS12E1IS, 0);
	dsb_ish(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, r->vttbr);
	isb(r, 0);
	s2m_sysreg(r->m, 0, S2M_SCTLR_EL1, 0);
	s2m_sysreg(r->m, 0, S2M_TCR_EL1, 0);
}
