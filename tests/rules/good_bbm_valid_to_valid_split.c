/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Break, invalidate, make. The memory stays mapped and needs no cleaning. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_split, "none", 0)
{
	uint64_t table = take(r, 0);

	for (unsigned i = 0; i < 512; i++)
		set(r, 0, table, i, page(r, PA + 2 * BLOCK + i * PAGE));
	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	link_table(r, 0, r->l2, 2, table);
}
