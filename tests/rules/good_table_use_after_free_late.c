/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A lockless walker links a table below one that was detached. The TLBI that follows
 * covers both, and both are freed after it.
 */
#include "rule.h"

PROGRAM(good_table_use_after_free_late, "none", S2M_FWB)
{
	clear(r, 0, r->l1, 1);
	link_table(r, 1, r->l2, 3, take(r, 1));
	dsb_ishst(r, 0);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	give(r, 0, s2m_read(r->m, 0, entry(r->l2, 3)) & ~(PAGE - 1));
	give(r, 0, r->l2);
}
