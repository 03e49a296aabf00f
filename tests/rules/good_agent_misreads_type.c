/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An SMMU without FWB reads non-cacheable and Device memory as PEs with FWB do. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, good_agent_misreads_type, "none", S2M_FWB | S2M_AGENT | S2M_IDC,
	      S2M_FWB)
{
	set(r, 0, r->l3b, 0, LEAF | NC_FWB | (PA + BLOCK) | 3);
	set(r, 0, r->l3b, 1, LEAF | DEVICE | (PA + 2 * BLOCK) | 3);
}
