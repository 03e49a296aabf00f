/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two VMIDs on one tree, and only one of them is invalidated. */
#include "rule.h"

PROGRAM(bad_tlbi_wrong_vmid_second, "tlbi-wrong-vmid", S2M_FWB)
{
	s2m_guest_enter(r->m, 0, r->vttbr);
	s2m_guest_enter(r->m, 1, r->l1 | UINT64_C(8) << 48);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
