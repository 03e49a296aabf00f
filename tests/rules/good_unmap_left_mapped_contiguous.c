/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The whole run is broken. What stays mapped is made again without the bit. */
#include "rule.h"

PROGRAM(good_unmap_left_mapped_contiguous, "none", S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 16; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE) | CONTIGUOUS);
	for (unsigned i = 0; i < 16; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 7, 0, IPA + BLOCK));
	finish(r, 0);
	for (unsigned i = 0; i < 15; i++)
		set(r, 0, r->l3b, i, page(r, PA + BLOCK + i * PAGE));
	unmapped(r, 0, IPA + BLOCK + 15 * PAGE, PAGE);
}
