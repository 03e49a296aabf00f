/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The free waits until the walks that began before the detach are over. A walk that began
 * later cannot find the table.
 */
#include "rule.h"

PROGRAM(good_table_use_after_free_walker, "none", S2M_FWB)
{
	s2m_walker_enter(r->m, 1);
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	s2m_walker_leave(r->m, 1);
	s2m_walker_enter(r->m, 1);
	give(r, 0, r->l3b);
	s2m_walker_leave(r->m, 1);
}
