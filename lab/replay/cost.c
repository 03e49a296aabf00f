/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "common/counters.h"
#include "replay.h"

void replay_cost_add(struct replay_cost *cost, const struct s2m_counters *n)
{
	cost->calls++;
	replay_cost_more(cost, n);
}

void replay_cost_more(struct replay_cost *cost, const struct s2m_counters *n)
{
	lab_counters_add(&cost->sum, n);
	if (n->pte_reads > cost->longest)
		cost->longest = n->pte_reads;
}
