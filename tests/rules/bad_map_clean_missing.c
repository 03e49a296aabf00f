/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hypervisor writes a page and maps it. The guest may read past the cache. */
#include "rule.h"

PROGRAM(bad_map_clean_missing, "map-clean-missing", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
