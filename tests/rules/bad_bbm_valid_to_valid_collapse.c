/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is replaced by a block in place. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_collapse, "bbm-valid-to-valid", S2M_FWB)
{
	set(r, 0, r->l2, 1, block(r, PA + BLOCK));
	invalidate(r, 0, IPA + BLOCK);
}
