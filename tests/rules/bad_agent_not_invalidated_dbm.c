/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An SMMU that sets dirty state may write by a page with DBM that it holds. */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated_dbm, "agent-not-invalidated",
	S2M_FWB | S2M_AGENT | S2M_HAFDBS)
{
	uint64_t clean = (page(r, PA + BLOCK) & ~WRITE) | DBM;

	set(r, 0, r->l3b, 0, clean);
	s2m_xchg(r->m, 0, entry(r->l3b, 0), clean & ~DBM);
	invalidate(r, 0, IPA + BLOCK);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA + BLOCK, PAGE);
}
