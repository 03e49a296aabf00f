/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A frame is given away after its unmap. */
#include "rule.h"

PROGRAM(good_frame_still_mapped, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_claim_frame_free(r->m, 0, PA, PAGE);
}
