/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The owner vouches for the memory. */
#include "rule.h"

PROGRAM(good_map_clean_missing_waived, "none", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	s2m_waive_map_clean(r->m, 0, true);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
