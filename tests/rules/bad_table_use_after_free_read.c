/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Software descends into the table it has just freed. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_read, "table-use-after-free", S2M_FWB)
{
	clear(r, 0, r->l2, 1);
	invalidate(r, 0, IPA + BLOCK);
	give(r, 0, r->l3b);
	s2m_read(r->m, 0, entry(r->l3b, 0));
}
