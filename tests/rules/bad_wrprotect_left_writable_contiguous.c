/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A PE may write by the translation of another member of the run. */
#include "rule.h"

PROGRAM(bad_wrprotect_left_writable_contiguous, "wrprotect-left-writable",
	S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	set(r, 0, r->l3b, 0, (page(r, PA + BLOCK) | CONTIGUOUS) & ~WRITE);
	invalidate(r, 0, IPA + BLOCK);
	s2m_claim_wrprotected(r->m, 0, r->l1, IPA + BLOCK, PAGE);
}
