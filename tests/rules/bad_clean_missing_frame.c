/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nobody waived the clean, and the frame goes to its next owner. */
#include "rule.h"

PROGRAM(bad_clean_missing_frame, "clean-missing", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_claim_frame_free(r->m, 0, PA, PAGE);
}
