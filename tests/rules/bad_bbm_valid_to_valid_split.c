/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A block is replaced by a table in place. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split, "bbm-valid-to-valid", S2M_FWB)
{
	uint64_t table = take(r, 0);

	for (unsigned i = 0; i < 512; i++)
		set(r, 0, table, i, page(r, PA + 2 * BLOCK + i * PAGE));
	link_table(r, 0, r->l2, 2, table);
	invalidate(r, 0, IPA + 2 * BLOCK);
}
