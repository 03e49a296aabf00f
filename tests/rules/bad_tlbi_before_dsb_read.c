/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PE1 has read another entry than the one that it invalidates. */
#include "rule.h"

PROGRAM(bad_tlbi_before_dsb_read, "unmap-return-pending", S2M_FWB)
{
	for (unsigned i = 0; i < 4; i++)
		clear(r, 0, r->l3, i);
	s2m_read(r->m, 1, entry(r->l3, 2));
	invalidate(r, 1, IPA + PAGE);
	unmapped(r, 1, IPA + PAGE, PAGE);
}
