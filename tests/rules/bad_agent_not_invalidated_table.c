/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table page is given back while the agent may walk it. */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated_table, "agent-not-invalidated", S2M_FWB | S2M_AGENT)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	give(r, 0, r->l3b);
}
