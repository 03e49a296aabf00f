/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page is write-protected, and the other agent still writes to it. */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated_wrprotect, "agent-not-invalidated", S2M_FWB | S2M_AGENT)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, PAGE);
}
