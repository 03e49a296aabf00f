/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without FEAT_XNX bit 53 has no meaning. */
#include "rule.h"

PROGRAM(good_map_icache_missing_xnx, "none", S2M_FWB)
{
	s2m_host_wrote(r->m, 0, PA, PAGE);
	set(r, 0, r->l3, 0, page(r, PA) | XN0);
}
