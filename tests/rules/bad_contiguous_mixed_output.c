/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One member is broken, invalidated and made again with another output, like a page
 * outside of a run.
 */
#include "rule.h"

PROGRAM(bad_contiguous_mixed_output, "contiguous-mixed", S2M_FWB)
{
	make_run(r, 0);
	clear(r, 0, r->l3b, 3);
	invalidate(r, 0, IPA + BLOCK + 3 * PAGE);
	set(r, 0, r->l3b, 3, page(r, PA + 3 * BLOCK));
	dsb_ishst(r, 0);
}
