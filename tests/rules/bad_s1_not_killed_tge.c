/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With HCR_EL2.TGE = 1 VMALLE1IS acts on the regime of the host. */
#include "rule.h"

PROGRAM(bad_s1_not_killed_tge, "s1-not-killed", S2M_FWB)
{
	s2m_sysreg(r->m, 0, S2M_HCR_EL2, UINT64_C(1) << 46 | 1 << 27 | 1);
	isb(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
