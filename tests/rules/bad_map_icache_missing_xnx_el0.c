/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* XN = 01 lets EL0 execute. Before it was EL1. */
#include "rule.h"

PROGRAM(bad_map_icache_missing_xnx_el0, "map-icache-missing", S2M_FWB | S2M_XNX)
{
	set(r, 0, r->l3, 0, page(r, PA) | XN0);
	s2m_host_wrote(r->m, 0, PA, PAGE);
	set(r, 0, r->l3, 0, (page(r, PA) & ~XN) | XN0);
}
