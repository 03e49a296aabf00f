/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SMMU has FEAT_BBM level 2 as PEs do. */
#include "rule.h"

PROGRAM(good_bbm_valid_to_valid_split_agent, "none",
	S2M_FWB | S2M_BBM2 | S2M_CONFLICTS | S2M_AGENT)
{
	link_table(r, 0, r->l2, 2, take_pages(r, 0));
}
