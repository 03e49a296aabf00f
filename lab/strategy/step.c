/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "common/counters.h"
#include "strategy.h"

void lab_step_end(struct lab_run *run)
{
	const struct s2m_counters *n = s2m_counters(run->vm->m);

	if (n->pte_reads > run->longest_step)
		run->longest_step = n->pte_reads;
	lab_counters_add(&run->total, n);
	s2m_counters_reset(run->vm->m);
}
