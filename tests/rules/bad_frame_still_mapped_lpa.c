/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bit 48 of the frame is not where LPA has it, so the frame below 2^48 is mapped. */
#include "rule.h"

PROGRAM_ON(lpa_64k, bad_frame_still_mapped_lpa, "frame-still-mapped", S2M_FWB)
{
	const uint64_t frame = PA + r->block;

	set(r, 0, r->l3b, 0, r->wb | UINT64_C(1) << 48 | frame | 3);
	s2m_claim_frame_free(r->m, 0, frame, r->page);
}
