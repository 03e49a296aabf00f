/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two pages are unmapped, and one is invalidated. */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range, "tlbi-misses-range", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, 2 * PAGE);
}
