/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A block is split while the other agent holds it. Break-before-make covers the agent
 * too.
 */
#include "rule.h"

PROGRAM(bad_agent_not_invalidated_split, "agent-not-invalidated", S2M_FWB | S2M_AGENT)
{
	split(r, 0);
}
