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

const uint8_t replay_listed[REPLAY_LISTED] = {
	TRACE_INIT,    TRACE_MAP, TRACE_UNMAP, TRACE_WRPROTECT, TRACE_RELAX_PERMS,
	TRACE_MKYOUNG, TRACE_AGE, TRACE_FLUSH, TRACE_SPLIT,	TRACE_DESTROY,
};

uint64_t replay_tlbis(const struct replay_cost *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		n += c->sum.tlbi[i];
	return n;
}

struct replay_cost replay_total(const struct replay_cost *cost)
{
	struct replay_cost t = { 0 };

	for (size_t i = 0; i < REPLAY_LISTED; i++) {
		const struct replay_cost *c = &cost[replay_listed[i]];

		t.calls += c->calls;
		lab_counters_add(&t.sum, &c->sum);
		if (c->longest > t.longest)
			t.longest = c->longest;
	}
	return t;
}

uint64_t replay_vms_that_mapped(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->vms; i++)
		n += t->vm[i].maps > 0;
	return n;
}

uint64_t replay_failed(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->events; i++)
		n += t->event[i].op == TRACE_FAILED;
	return n;
}
