/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * EPD is set without M. With stage 1 off, an address is an IPA, and the AT continues with
 * stage 2.
 */
#include "rule.h"

PROGRAM(bad_speculative_at_part, "speculative-at", S2M_FWB | S2M_SPECULATIVE_AT)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_leave(r->m, 0);
	s2m_sysreg(r->m, 0, S2M_TCR_EL1, EPD);
	isb(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
}
