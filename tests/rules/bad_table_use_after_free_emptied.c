/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tree is emptied and nobody runs it, but one page was left out of the invalidation.
 * The machine does not ask from which table PEs have what they hold.
 */
#include "rule.h"

PROGRAM(bad_table_use_after_free_emptied, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	for (unsigned i = 0; i < 3; i++)
		tlbi_ipa(r, 0, IPA + i * BLOCK);
	for (unsigned i = 2; i < PAGES; i++)
		tlbi_ipa(r, 0, IPA + i * PAGE);
	finish(r, 0);
	s2m_guests_gone(r->m, 0, r->l1);
	give(r, 0, r->l1);
}
