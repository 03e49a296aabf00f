/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A range TLBI on a PE without FEAT_TLBIRANGE. */
#include "rule.h"

PROGRAM(bad_tlbi_undefined, "tlbi-undefined", S2M_FWB)
{
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 0, 0, IPA));
}
