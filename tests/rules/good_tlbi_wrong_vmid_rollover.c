/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The VMIDs roll over. Everything is invalidated, and from then on only the new VMID is
 * used.
 */
#include "rule.h"

PROGRAM(good_tlbi_wrong_vmid_rollover, "none", S2M_FWB)
{
	s2m_sysreg(r->m, 0, S2M_VTTBR_EL2, UINT64_C(8) << 48 | r->l1);
	isb(r, 0);
	s2m_tlbi(r->m, 0, S2M_ALLE1IS, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
