/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Another PE executes the DSB. */
#include "rule.h"

PROGRAM(bad_clean_not_completed_other, "clean-not-completed", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	civac(r, 0, PA, PAGE);
	s2m_handoff(r->m, 0, 1);
	dsb_sy(r, 1);
	unmapped(r, 1, IPA, PAGE);
}
