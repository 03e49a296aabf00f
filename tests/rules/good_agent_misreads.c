/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An SMMU without FWB, and PEs that do not use it. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, good_agent_misreads, "none", S2M_AGENT, S2M_FWB)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
