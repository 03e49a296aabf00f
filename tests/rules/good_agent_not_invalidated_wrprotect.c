/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page is write-protected, for the other agent too. */
#include "rule.h"

PROGRAM(good_agent_not_invalidated_wrprotect, "none", S2M_FWB | S2M_AGENT)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~WRITE);
	invalidate(r, 0, IPA);
	s2m_agent_tlbi(r->m, 0, IPA, PAGE);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA, PAGE);
}
