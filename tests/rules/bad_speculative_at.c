/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* VTTBR_EL2 is switched while stage 1 can be walked. */
#include "rule.h"

PROGRAM(bad_speculative_at, "speculative-at", S2M_FWB | S2M_SPECULATIVE_AT)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_leave(r->m, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
}
