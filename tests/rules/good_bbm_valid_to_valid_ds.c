/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With DS the bits of SH are address bits. Here they differ between two pages, and a page
 * changes permissions in place.
 */
#include "rule.h"

PROGRAM_ON(lpa2_4k, good_bbm_valid_to_valid_ds, "none", S2M_FWB | S2M_LPA2)
{
	uint64_t high = PA | UINT64_C(3) << 50;

	civac(r, 0, high, PAGE);
	dsb_sy(r, 0);
	set(r, 0, r->l3b, 0, page(r, high));
	set(r, 0, r->l3b, 0, page(r, high) & ~WRITE);
	invalidate(r, 0, r->ipa + r->block);
}
