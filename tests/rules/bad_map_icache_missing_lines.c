/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The instruction cache is invalidated for half of a page that was written. */
#include "rule.h"

PROGRAM(bad_map_icache_missing_lines, "map-icache-missing", S2M_FWB)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	s2m_cache(r->m, 0, S2M_IC_IVAU, PA + BLOCK + PAGE / 2, PAGE / 2);
	dsb_ish(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~XN);
}
