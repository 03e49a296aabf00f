/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* XN = 11 lets EL1 execute. */
#include "rule.h"

PROGRAM(bad_map_icache_missing_xnx, "map-icache-missing", S2M_FWB | S2M_XNX)
{
	s2m_host_wrote(r->m, 0, PA, PAGE);
	set(r, 0, r->l3, 0, page(r, PA) | XN0);
}
