/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The other members of the Contiguous run still translate the page. */
#include "rule.h"

PROGRAM(bad_unmap_left_mapped_contiguous, "unmap-left-mapped", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	clear(r, 0, r->l3b, 15);
	invalidate(r, 0, IPA + BLOCK + 15 * PAGE);
	unmapped(r, 0, IPA + BLOCK + 15 * PAGE, PAGE);
}
