/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CTR_EL0.DIC: instruction fetch is coherent. */
#include "rule.h"

PROGRAM(good_map_icache_missing_dic, "none", S2M_FWB | S2M_DIC)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~XN);
}
