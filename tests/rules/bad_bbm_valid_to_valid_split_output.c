/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* FEAT_BBM relaxes the size only: here a page gets another output address. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_split_output, "bbm-valid-to-valid",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	set(r, 0, table, 5, page(r, PA + 3 * BLOCK));
	link_table(r, 0, r->l2, 2, table);
	invalidate(r, 0, IPA + 2 * BLOCK);
}
