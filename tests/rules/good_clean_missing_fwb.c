/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With FWB and forced write-back there is nothing to clean. */
#include "rule.h"

PROGRAM(good_clean_missing_fwb, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
