/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What software keeps in an invalid entry is no translation. It is set, changed and
 * replaced by a page without a TLBI.
 */
#include "rule.h"

PROGRAM(good_tlbi_missing_annotation, "none", S2M_FWB)
{
	set(r, 0, r->l3b, 0, UINT64_C(0x1234567890abcdee));
	set(r, 0, r->l3b, 0, UINT64_C(0xfffffffffffffffe));
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
