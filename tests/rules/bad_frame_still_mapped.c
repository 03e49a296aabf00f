/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A frame is given away while an entry maps it. */
#include "rule.h"

PROGRAM(bad_frame_still_mapped, "frame-still-mapped", S2M_FWB)
{
	s2m_claim_frame_free(r->m, 0, PA, PAGE);
}
