/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A guest is entered under a VMID that was never invalidated since the PEs came up. */
#include "rule.h"

PROGRAM(bad_vmid_reused_first, "vmid-reused", S2M_FWB | S2M_COLD_TLBS)
{
	s2m_guest_enter(r->m, 1, vttbr(9, take(r, 0)));
}
