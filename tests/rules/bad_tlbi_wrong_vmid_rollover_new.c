/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The VMIDs roll over after the break and before the DSB: a walker may read the old
 * entry under the new VMID, and only the old one is invalidated.
 */
#include "rule.h"

PROGRAM(bad_tlbi_wrong_vmid_rollover_new, "tlbi-wrong-vmid", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	s2m_guest_enter(r->m, 1, UINT64_C(8) << 48 | r->l1);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
