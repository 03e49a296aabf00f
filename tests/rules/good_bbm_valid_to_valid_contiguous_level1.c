/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With FEAT_BBM the Contiguous bit may be set and cleared in place, on a whole run. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_contiguous_level1, "none",
	S2M_FWB | S2M_BBM1 | S2M_CONFLICTS)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE));
	make_run(r, 0);
	invalidate_all(r, 0);
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE));
	invalidate_all(r, 0);
}
