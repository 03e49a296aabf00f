/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same, but first nobody runs the guest any more, and then it is emptied. */
#include "rule.h"

PROGRAM(good_table_use_after_free_emptied_later, "none", S2M_FWB)
{
	s2m_guests_gone(r->m, 0, r->l1);
	clear(r, 0, r->l1, 1);
	dsb_ishst(r, 0);
	for (unsigned i = 0; i < 3; i++)
		tlbi_ipa(r, 0, IPA + i * BLOCK);
	for (unsigned i = 1; i < PAGES; i++)
		tlbi_ipa(r, 0, IPA + i * PAGE);
	finish(r, 0);
	give(r, 0, r->l1);
}
