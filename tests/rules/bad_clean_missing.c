/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without FWB the guest may have written past the cache. */
#include "rule.h"

PROGRAM(bad_clean_missing, "clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
