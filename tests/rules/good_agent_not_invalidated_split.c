/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A block is split, and the other agent is invalidated in between. */
#include "rule.h"

PROGRAM(good_agent_not_invalidated_split, "none", S2M_FWB | S2M_AGENT)
{
	uint64_t table = take_pages(r, 0);

	clear(r, 0, r->l2, 2);
	invalidate(r, 0, IPA + 2 * BLOCK);
	s2m_agent_tlbi(r->m, 0, IPA + 2 * BLOCK, BLOCK);
	link_table(r, 0, r->l2, 2, table);
}
