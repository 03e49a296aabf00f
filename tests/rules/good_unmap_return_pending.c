/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 waits until PE0 has completed its invalidation. */
#include "rule.h"

PROGRAM(good_unmap_return_pending, "none", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_handoff(r->m, 0, 1);
	unmapped(r, 1, IPA, PAGE);
}
