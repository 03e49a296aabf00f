/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The program forgets the last page of the range. */
#include "rule.h"

PROGRAM(bad_unmap_left_mapped, "unmap-left-mapped", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, 2 * PAGE);
}
