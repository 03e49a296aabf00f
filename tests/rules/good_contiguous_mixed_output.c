/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The whole run is broken and invalidated first, and made again without the bit. */
#include "rule.h"

PROGRAM(good_contiguous_mixed_output, "none", S2M_FWB)
{
	make_run(r, 0);
	for (unsigned i = 0; i < 16; i++)
		clear(r, 0, r->l3b, i);
	invalidate_all(r, 0);
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + (i == 3 ? 3 : 1) * BLOCK + i * PAGE));
	dsb_ishst(r, 0);
}
