/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With the erratum one TLBI and DSB are not enough. */
#include "rule.h"

PROGRAM(bad_repeat_tlbi_missing, "repeat-tlbi-missing", S2M_FWB | S2M_REPEAT_TLBI)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	unmapped(r, 0, IPA, PAGE);
}
