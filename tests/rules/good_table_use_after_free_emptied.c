/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guest's last mapping is removed and invalidated by its address, then nobody runs it
 * any more. No PE can hold a translation: the VMID need not be invalidated as a whole
 * before the root is freed.
 */
#include "rule.h"

PROGRAM(good_table_use_after_free_emptied, "none", S2M_FWB)
{
	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	for (unsigned i = 0; i < 3; i++)
		tlbi_ipa(r, 0, IPA + i * BLOCK);
	for (unsigned i = 1; i < PAGES; i++)
		tlbi_ipa(r, 0, IPA + i * PAGE);
	finish(r, 0);
	s2m_guests_gone(r->m, 0, r->l1);
	give(r, 0, r->l3);
	give(r, 0, r->l3b);
	give(r, 0, r->l2);
	give(r, 0, r->l1);
}
