/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With FWB and forced write-back the guest reads what is in the cache. */
#include "rule.h"

PROGRAM(good_map_clean_missing_fwb, "none", S2M_FWB)
{
	s2m_host_wrote(r->m, 0, PA + BLOCK, PAGE);
	set(r, 0, r->l3b, 0, page(r, PA + BLOCK));
}
