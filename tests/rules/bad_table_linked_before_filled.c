/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A new table is linked by a plain store. Its zeroes may become visible later. */
#include "rule.h"

PROGRAM(bad_table_linked_before_filled, "table-linked-before-filled", S2M_FWB)
{
	set(r, 0, r->l2, 3, take(r, 0) | TABLE);
}
