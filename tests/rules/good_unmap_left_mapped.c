/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is mapped beside the range does not matter. */
#include "rule.h"

PROGRAM(good_unmap_left_mapped, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
