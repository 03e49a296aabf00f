/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same with instructions: they were invalidated after the frame came back. */
#include "rule.h"

PROGRAM(good_map_icache_missing_moved, "none", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~XN);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_cache(r->m, 0, S2M_IC_IVAU, PA, PAGE);
	dsb_ish(r, 0);
	set(r, 0, r->l3, 0, page(r, PA + BLOCK));
	set(r, 0, r->l3b, 0, page(r, PA) & ~XN);
}
