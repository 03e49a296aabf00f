/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Contiguous bit is set in place. */
#include "rule.h"

PROGRAM(bad_bbm_valid_to_valid_contiguous, "bbm-valid-to-valid", S2M_FWB)
{
	set(r, 0, r->l3, 0, page(r, PA) | CONTIGUOUS);
	invalidate(r, 0, IPA);
}
