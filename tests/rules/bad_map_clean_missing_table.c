/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is linked, which makes everything in it valid. */
#include "rule.h"

PROGRAM(bad_map_clean_missing_table, "map-clean-missing", 0)
{
	uint64_t table = take(r, 0);

	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	set(r, 0, table, 0, page(r, PA + BLOCK));
	link_table(r, 0, r->l2, 3, table);
}
