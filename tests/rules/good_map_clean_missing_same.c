/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A page moves from one address to another and keeps its type. The host has not touched
 * it, and the guest reads it as it wrote it: nothing has to be cleaned in between.
 */
#include "rule.h"

PROGRAM(good_map_clean_missing_same, "none", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	set(r, 0, r->l3b, 0, page(r, PA));
}
