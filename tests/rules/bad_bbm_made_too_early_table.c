/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table is replaced by a block after one of its addresses was invalidated. The other
 * small entries stay and conflict with the block.
 */
#include "rule.h"

PROGRAM(bad_bbm_made_too_early_table, "bbm-made-too-early", S2M_FWB)
{
	clear(r, 0, r->l2, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l2, 0, block(r, PA));
}
