/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory type changes in place. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_type, "bbm-valid-to-valid", S2M_FWB)
{
	set(r, 0, r->l3, 0, (page(r, PA) & ~WB_FWB) | NC_FWB);
	invalidate(r, 0, IPA);
}
