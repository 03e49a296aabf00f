/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same with the access flag. */
#include "rule.h"

PROGRAM(bad_hw_update_lost_af, "hw-update-lost", S2M_FWB | S2M_HAFDBS)
{
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK) & ~AF);
	set(r, 0, r->l3b, 0, (page(r, PA + BLOCK) & ~AF) & ~WRITE);
	invalidate(r, 0, IPA + BLOCK);
}
