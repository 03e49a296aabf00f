/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With VTCR_EL2.DS an SMMU without it reads another address, in a table of pages too. */
#include "rule.h"

PROGRAM_AGENT(lpa2_4k, bad_agent_misreads_lpa2, "agent-misreads",
	      S2M_FWB | S2M_LPA2 | S2M_AGENT, S2M_LPA2)
{
	uint64_t table = take(r, 0);

	link_table(r, 0, r->l2, 3, table);
}
