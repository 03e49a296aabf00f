/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The hypervisor writes a few bytes of a page and cleans the lines that have them. */
#include "rule.h"

PROGRAM(good_map_clean_missing_lines, "none", 0)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK + 100, 100);
	civac(r, 0, PA + BLOCK + 64, 192);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
