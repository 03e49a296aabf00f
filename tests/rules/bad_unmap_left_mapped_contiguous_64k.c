/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A run of the 64 KiB granule has 32 members. */
#include "rule.h"

PROGRAM_ON(granule_64k, bad_unmap_left_mapped_contiguous_64k, "unmap-left-mapped",
	   S2M_FWB | S2M_TLBIRANGE)
{
	for (unsigned i = 0; i < 32; i++)
		set(r, 0, r->l3b, i, page(r, PA + r->block + i * r->page) | CONTIGUOUS);
	for (unsigned i = 0; i < 16; i++)
		clear(r, 0, r->l3b, i);
	dsb_ishst(r, 0);
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS,
		 range(TG_64K, 0, 7, 0, 0) | (r->ipa + r->block) >> 16);
	finish(r, 0);
	unmapped(r, 0, r->ipa + r->block, 16 * r->page);
}
