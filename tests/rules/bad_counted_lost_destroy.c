/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The root is given back, and a counted leaf was in its tables. */
#include "rule.h"

PROGRAM(bad_counted_lost_destroy, "counted-lost", S2M_FWB)
{
	count_page(r, 0);
	s2m_guests_gone(r->m, 0, r->l1);
	clear(r, 0, r->l1, 1);
	invalidate_all(r, 0);
	give(r, 0, r->l1);
}
