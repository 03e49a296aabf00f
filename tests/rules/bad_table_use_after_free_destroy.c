/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nobody runs the guest any more, but TLBs still hold what it used. */
#include "rule.h"

PROGRAM(bad_table_use_after_free_destroy, "table-use-after-free", S2M_FWB)
{
	s2m_guests_gone(r->m, 0, r->l1);
	give(r, 0, r->l3b);
}
