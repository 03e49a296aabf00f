/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A run of consecutive pages, whose first is not aligned to the run. */
#include "rule.h"

PROGRAM(bad_contiguous_mixed_aligned, "contiguous-mixed", S2M_FWB)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + (i + 4) * PAGE) | CONTIGUOUS);
	dsb_ishst(r, 0);
}
