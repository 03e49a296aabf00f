/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report of a leaf that is there. */
#include "rule.h"

PROGRAM(bad_counted_early_mapped, "counted-early", S2M_FWB)
{
	count_page(r, 0);
	gone(r, 0, IPA + BLOCK, PA + BLOCK, PAGE);
}
