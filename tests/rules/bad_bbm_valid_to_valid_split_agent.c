/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PEs have FEAT_BBM level 2, and the SMMU on the same tables has none. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, bad_bbm_valid_to_valid_split_agent, "bbm-valid-to-valid",
	      S2M_FWB | S2M_BBM2 | S2M_CONFLICTS | S2M_AGENT, S2M_BBM2)
{
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
}
