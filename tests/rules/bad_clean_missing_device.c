/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Device memory takes the place of a Normal leaf of the same frame: the frame still has
 * to be cleaned before it is handed on.
 */
#include "rule.h"

PROGRAM(bad_clean_missing_device, "clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3, 0, (page(r, PA) & ~WB) | DEVICE);
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_claim_frame_free(r->m, 0, PA, PAGE);
}
