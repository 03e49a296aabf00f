/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A leaf that is not counted is reported. */
#include "rule.h"

PROGRAM(bad_counted_twice_other, "counted-twice", S2M_FWB)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	gone(r, 0, IPA, PA, PAGE);
}
