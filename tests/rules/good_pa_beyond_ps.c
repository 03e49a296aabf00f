/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last page that VTCR_EL2.PS (here 32 bits) allows. */
#include "rule.h"

PROGRAM(good_pa_beyond_ps, "none", S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, (PA << 1) - PAGE));
}
