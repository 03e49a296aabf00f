/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The page is above what VTCR_EL2.PS (here 32 bits) allows: a walk faults. */
#include "rule.h"

PROGRAM(bad_pa_beyond_ps, "pa-beyond-ps", S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, PA << 1));
}
