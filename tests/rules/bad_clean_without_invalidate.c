/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A clean without invalidate leaves the line, and the hypervisor reads the line instead
 * of the guest's data.
 */
#include "rule.h"

PROGRAM(bad_clean_without_invalidate, "clean-without-invalidate", 0)
{
	clear(r, 0, r->l3, 0);
	invalidate(r, 0, IPA);
	s2m_cache(r->m, 0, S2M_DC_CVAC, PA, PAGE);
	dsb_sy(r, 0);
	unmapped(r, 0, IPA, PAGE);
}
