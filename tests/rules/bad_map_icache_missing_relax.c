/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Execute permission is added later. The invalidation is needed then. */
#include "rule.h"

PROGRAM(bad_map_icache_missing_relax, "map-icache-missing", S2M_FWB)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~XN);
}
