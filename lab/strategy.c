/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "strategy.h"

const struct lab_strategy *const lab_strategies[LAB_STRATEGIES + 1] = {
	&strategy_entry,  &strategy_posted, &strategy_review,
	&strategy_merged, &strategy_stage2, NULL,
};

void lab_step_end(struct lab_run *run)
{
	const struct s2m_counters *n = s2m_counters(run->vm->m);
	struct s2m_counters *total = &run->total;

	if (n->pte_reads > run->longest_step)
		run->longest_step = n->pte_reads;
	total->pte_reads += n->pte_reads;
	total->pte_writes += n->pte_writes;
	for (int i = 0; i < S2M_TLBI_KINDS; i++)
		total->tlbi[i] += n->tlbi[i];
	total->dsb += n->dsb;
	total->isb += n->isb;
	total->clean_lines += n->clean_lines;
	total->tables_taken += n->tables_taken;
	total->tables_given += n->tables_given;
	s2m_counters_reset(run->vm->m);
}
