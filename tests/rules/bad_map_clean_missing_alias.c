/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame is mapped twice; when one mapping goes it is still the guest's, but a
 * host that writes it has to clean before it maps it anew.
 */
#include "rule.h"

PROGRAM(bad_map_clean_missing_alias, "map-clean-missing", 0)
{
	set(r, 0, r->l3b, 0, page(r, PA));
	s2m_host_wrote(r->m, 0, PA, PAGE);
	set(r, 0, r->l3b, 1, page(r, PA));
}
