/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Permissions may change in place. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid, "none", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
}
