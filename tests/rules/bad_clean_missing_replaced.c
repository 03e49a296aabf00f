/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page is replaced by another one, and the old frame is given away without a clean. */
#include "rule.h"

PROGRAM(bad_clean_missing_replaced, "clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3, 0, page(r, PA + BLOCK));
	s2m_claim_frame_free(r->m, 0, PA, PAGE);
}
