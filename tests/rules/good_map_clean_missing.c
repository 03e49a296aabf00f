/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory is cleaned first. A clean without invalidate is enough here. */
#include "rule.h"

PROGRAM(good_map_clean_missing, "none", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	s2m_cache(r->m, 0, S2M_DC_CVAC, PA + BLOCK, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
