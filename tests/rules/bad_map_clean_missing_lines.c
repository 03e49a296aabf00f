/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hypervisor writes a page and cleans half of it. */
#include "rule.h"

PROGRAM(bad_map_clean_missing_lines, "map-clean-missing", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	civac(r, 0, PA + BLOCK, PAGE / 2);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
