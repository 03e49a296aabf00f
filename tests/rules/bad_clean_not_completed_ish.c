/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DSB ISH is not enough: non-cacheable memory is outer shareable. */
#include "rule.h"

PROGRAM(bad_clean_not_completed_ish, "clean-not-completed", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	dsb_ish(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
