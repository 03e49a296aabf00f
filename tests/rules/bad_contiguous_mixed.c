/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One member of a run gets write permission, and the others do not. */
#include "rule.h"

PROGRAM(bad_contiguous_mixed, "contiguous-mixed", S2M_FWB)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i,
		    (page(r, PA + BLOCK + i * PAGE) & ~WRITE) | CONTIGUOUS);
	set(r, 0, r->l3b, 3, page(r, PA + BLOCK + 3 * PAGE) | CONTIGUOUS);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
