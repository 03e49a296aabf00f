/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same with a clean that does not invalidate the line. */
#include "rule.h"

PROGRAM(bad_map_clean_missing_past_cvac, "map-clean-missing", S2M_FWB)
{
	set(r, 0, r->l3b, 0, (page(r, PA + BLOCK) & ~WB_FWB) | NC_FWB);
	clear(r, 0, r->l3b, 0);
	invalidate(r, 0, IPA + BLOCK);
	s2m_cache(r->m, 0, S2M_DC_CVAC, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
