/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* To make the same translation again needs no invalidation. */
#include "rule.h"

PROGRAM(good_bbm_made_too_early_same, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	set(r, 0, r->l3, 0, page(r, PA));
}
