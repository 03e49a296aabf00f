/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Without FWB the instruction cache is invalidated before the data is cleaned. The old
 * code may be fetched again in between.
 */
#include "rule.h"

PROGRAM(bad_map_icache_missing_order, "map-icache-missing", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	s2m_cache(r->m, 0, S2M_IC_IVAU, PA + BLOCK, PAGE);
	dsb_ish(r, 0);
	civac(r, 0, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~XN);
}
