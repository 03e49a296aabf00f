/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* It is told of each page, and of everything. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, good_tlbi_undefined_agent, "none",
	      S2M_FWB | S2M_AGENT | S2M_TLBIRANGE, S2M_TLBIRANGE)
{
	clear(r, 0, r->l3, 0);
	clear(r, 0, r->l3, 1);
	invalidate_all(r, 0);
	s2m_agent_tlbi(r->m, 0, IPA, PAGE);
	s2m_agent_tlbi(r->m, 0, IPA + PAGE, PAGE);
	unmapped(r, 0, IPA, 2 * PAGE);
	clear(r, 0, r->l2, 2);
	invalidate_all(r, 0);
	s2m_agent_tlbi(r->m, 0, 0, 0);
	unmapped(r, 0, IPA + 2 * BLOCK, BLOCK);
}
