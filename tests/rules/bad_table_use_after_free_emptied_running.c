/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tree is emptied and invalidated, but a PE runs it and walks from its root. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_emptied_running, "table-use-after-free", S2M_FWB)
{
	s2m_guest_enter(r->m, 1, r->vttbr);
	clear(r, 0, r->l1, 1);
	invalidate_all(r, 0);
	give(r, 0, r->l1);
}
