/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The VMIDs roll over between break and invalidation. The old VMID is not invalidated,
 * and a PE that ran under it still has the page.
 */
#include "rule.h"

PROGRAM(bad_tlbi_wrong_vmid_rollover, "tlbi-wrong-vmid", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	dsb_ishst(r, 0);
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	tlbi_ipa(r, 0, IPA);
	finish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
