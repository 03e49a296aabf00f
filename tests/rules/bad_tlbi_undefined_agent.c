/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An SMMU without invalidations of ranges is told to invalidate one. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, bad_tlbi_undefined_agent, "tlbi-undefined",
	      S2M_FWB | S2M_AGENT | S2M_TLBIRANGE, S2M_TLBIRANGE)
{
	clear(r, 0, r->l2, 0);
	invalidate_all(r, 0);
	s2m_agent_tlbi(r->m, 0, IPA, BLOCK);
}
