/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A table is replaced by a block, and the other agent is invalidated before it is given
 * back.
 */
#include "rule.h"

PROGRAM(good_agent_not_invalidated_collapse, "none",
	S2M_FWB | S2M_AGENT | S2M_BBM2 | S2M_CONFLICTS)
{
	uint64_t table = take_pages(r, 0);

	link_table(r, 0, r->l2, 2, table);
	invalidate_all(r, 0);
	s2m_agent_tlbi(r->m, 0, 0, 0);
	set(r, 0, r->l2, 2, block(r, PA + 2 * BLOCK));
	invalidate_all(r, 0);
	s2m_agent_tlbi(r->m, 0, IPA + 2 * BLOCK, BLOCK);
	give(r, 0, table);
}
