/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All members are protected, each with a TLBI of its own. */
#include "rule.h"

PROGRAM(good_wrprotect_left_writable_contiguous, "none", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i,
		    (page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS) & ~WRITE);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 7, 0, IPA + BLOCK));
	finish(r, 0);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA + BLOCK, PAGE);
}
