/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nobody runs the guest and its VMID is invalidated, so the tables may be freed as they
 * are.
 */
#include "rule.h"

PROGRAM(good_table_use_after_free_destroy, "none", S2M_FWB)
{
	s2m_guests_gone(r->m, 0, r->l1);
	tlbi_all(r, 0);
	dsb_ish(r, 0);
	isb(r, 0);
	give(r, 0, r->l3);
	give(r, 0, r->l3b);
	give(r, 0, r->l2);
	give(r, 0, r->l1);
	unmapped(r, 0, IPA, 3 * BLOCK);
}
