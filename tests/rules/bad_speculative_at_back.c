/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * On the way back stage 1 is allowed again before VTTBR_EL2 has the value that belongs to
 * it.
 */
#include "rule.h"

PROGRAM(bad_speculative_at_back, "speculative-at", S2M_FWB | S2M_SPECULATIVE_AT)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_leave(r->m, 0);
	s2m_sysreg(r->m, 0, S2M_TCR_EL1, EPD);
	s2m_sysreg(r->m, 0, S2M_SCTLR_EL1, SCTLR_M);
	isb(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	s2m_sysreg(r->m, 0, S2M_SCTLR_EL1, 0);
	s2m_sysreg(r->m, 0, S2M_TCR_EL1, 0);
}
