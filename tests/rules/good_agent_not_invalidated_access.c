/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PEs set access flags, and the SMMU does not: it holds no page whose flag was clear. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, good_agent_not_invalidated_access, "none",
	      S2M_FWB | S2M_AGENT | S2M_HAFDBS, S2M_HAFDBS)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	s2m_xchg(r->m, 0, entry(r->l3b, 0), 0);
	invalidate(r, 0, IPA + BLOCK);
	unmapped(r, 0, IPA + BLOCK, PAGE);
}
