/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page that comes back from the guest counts as written by the host. */
#include "rule.h"

PROGRAM(bad_map_clean_missing_back, "map-clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
	set(r, 0, r->l3, 0, page(r, PA));
}
