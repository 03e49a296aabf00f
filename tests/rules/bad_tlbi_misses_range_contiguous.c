/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Contiguous bit does not extend what a TLBI covers: one member is not all of the
 * run.
 */
#include "rule.h"

PROGRAM(bad_tlbi_misses_range_contiguous, "tlbi-misses-range", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	for (unsigned i = 0; i < 16; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	tlbi_ipa(r, 0, IPA + BLOCK);
	finish(r, 0);
	unmapped(r, 0, IPA + BLOCK, 16 * PAGE);
}
