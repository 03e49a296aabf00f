/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without FEAT_XNX a page is executable, or it is not: as for PEs. */
#include "rule.h"

PROGRAM_AGENT(granule_4k, good_agent_misreads_xnx, "none", S2M_FWB | S2M_XNX | S2M_AGENT,
	      S2M_XNX)
{
	set(r, 0, r->l3, 0, page(r, PA) & ~XN);
}
