/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An annotation replaces a page. This breaks the entry, as zero would. */
#include "rule.h"

PROGRAM(bad_tlbi_missing_annotation, "tlbi-missing", S2M_FWB)
{
	set(r, 0, r->l3, 0, UINT64_C(0x1234567890abcdee));
	unmapped(r, 0, IPA, PAGE);
}
