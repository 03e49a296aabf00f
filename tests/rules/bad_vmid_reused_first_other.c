/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Another VMID is invalidated before the guest is entered. */
#include "rule.h"

PROGRAM(bad_vmid_reused_first_other, "vmid-reused", S2M_FWB | S2M_COLD_TLBS)
{
	invalidate_all(r, 0);
	s2m_guest_enter(r->m, 1, vttbr(9, take(r, 0)));
}
