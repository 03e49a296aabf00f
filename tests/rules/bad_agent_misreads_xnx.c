/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A page that only EL0 may execute is executable at EL1 for an SMMU without FEAT_XNX. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, bad_agent_misreads_xnx, "agent-misreads",
	      S2M_FWB | S2M_XNX | S2M_AGENT, S2M_XNX)
{
	set(r, 0, r->l3, 0, (page(r, PA) & ~XN) | XN0);
}
