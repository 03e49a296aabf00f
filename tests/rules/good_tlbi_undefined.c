/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A range TLBI on a PE with FEAT_TLBIRANGE. Nothing depends on it. */
#include "rule.h"

PROGRAM(good_tlbi_undefined, "none", S2M_FWB | S2M_TLBIRANGE)
{
	s2m_tlbi(r->m, 0, S2M_RIPAS2E1IS, range(TG_4K, 0, 0, 0, IPA));
}
