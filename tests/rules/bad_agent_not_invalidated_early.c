/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent is invalidated before the write is visible: it may walk again. */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated_early, "agent-not-invalidated", S2M_FWB | S2M_AGENT)
{
	clear(r, 0, r->l3, 0);
	s2m_agent_tlbi(r->m, 0, IPA, PAGE);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
