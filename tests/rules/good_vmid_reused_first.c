/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The VMID is invalidated as a whole before a guest has it for the first time. */
#include "rule.h"

PROGRAM(good_vmid_reused_first, "none", S2M_FWB | S2M_COLD_TLBS)
{
	uint64_t root = take(r, 0);

	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, 0));
	isb(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	s2m_guest_enter(r->m, 1, vttbr(9, root));
}
