/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Under the new VMID an address is invalidated, which leaves all others. */
#include "rule.h"

PROGRAM(bad_vmid_reused_first_address, "vmid-reused", S2M_FWB | S2M_COLD_TLBS)
{
	uint64_t root = take(r, 0);

	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, vttbr(9, 0));
	isb(r, 0);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	s2m_guest_enter(r->m, 1, vttbr(9, root));
}
