/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All members of a run get write permission, one after the other. */
#include "rule.h"

PROGRAM(good_contiguous_mixed, "none", S2M_FWB)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i,
		    (page(r, PA + BLOCK + i * PAGE) & ~WRITE) | CONTIGUOUS);
	make_run(r, 0);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
