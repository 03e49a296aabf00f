/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent is invalidated too, after the write is visible. */
#include "rule.h"

PROGRAM(good_agent_not_invalidated, "none", S2M_FWB | S2M_AGENT)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_agent_tlbi(r->m, 0, IPA, PAGE);
	unmapped(r, 0, IPA, PAGE);
}
