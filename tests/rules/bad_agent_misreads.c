/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An SMMU without FWB reads what means "write-back, whatever stage 1 says" as
 * non-cacheable.
 */
#include "rule.h"

PROGRAM_AGENT(granule_4k, bad_agent_misreads, "agent-misreads", S2M_FWB | S2M_AGENT,
	      S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
