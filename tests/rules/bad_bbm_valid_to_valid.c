/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The output address changes in place. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid, "bbm-valid-to-valid", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA + 5 * PAGE));
	invalidate(r, 0, IPA);
}
