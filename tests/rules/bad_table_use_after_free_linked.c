/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table is freed and never unlinked. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_linked, "table-use-after-free", S2M_FWB)
{
	give(r, 0, r->l3b);
}
