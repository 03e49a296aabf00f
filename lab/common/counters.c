/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "counters.h"

void lab_counters_add(struct s2m_counters *sum, const struct s2m_counters *n)
{
	sum->pte_reads += n->pte_reads;
	sum->pte_writes += n->pte_writes;
	for (int i = 0; i < S2M_TLBI_KINDS; i++)
		sum->tlbi[i] += n->tlbi[i];
	sum->dsb += n->dsb;
	sum->isb += n->isb;
	sum->clean_lines += n->clean_lines;
	sum->tables_taken += n->tables_taken;
	sum->tables_given += n->tables_given;
}
