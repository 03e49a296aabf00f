/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 walks without a lock and may still be in the table. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_walker, "table-use-after-free", S2M_FWB)
{
	s2m_walker_enter(r->m, 1);
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	give(r, 0, r->l3b);
	s2m_walker_leave(r->m, 1);
}
