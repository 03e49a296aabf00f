/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLBIs do not reach an SMMU with a TLB of its own. Its device continues to write. */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated, "agent-not-invalidated", S2M_FWB | S2M_AGENT)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
