/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A new table is linked by a store-release. */
#include "rule.h"

PROGRAM(good_table_linked_before_filled, "none", S2M_FWB)
{
	link_table(r, 0, r->l2, 3, take(r, 0));
}
