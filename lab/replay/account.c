/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"

const char *const account_way_names[WAYS] = { "stage2", "merged" };
const char *const account_measure_names[MEASURES] = { "visits", "tlbis", "dsbs", "lines",
						      "estimate" };

static bool find_phases(struct account *a)
{
	const struct trace *t = a->t;

	a->phases = 1;
	for (size_t i = 0; i < t->events; i++)
		a->phases += t->event[i].op == TRACE_PHASE;
	a->phase = calloc(a->phases, sizeof(*a->phase));
	if (!a->phase)
		return false;
	a->phase[0].text = "";
	for (size_t i = 0, n = 1; i < t->events; i++)
		if (t->event[i].op == TRACE_PHASE)
			a->phase[n++] =
				(struct account_phase){ t->text + t->event[i].addr,
							t->event[i].line,
							t->event[i].time };
	return true;
}

bool account_new(struct account *a, const struct trace *t, const struct cost_profile *cpu,
		 unsigned ways, unsigned worst_most)
{
	memset(a, 0, sizeof(*a));
	a->t = t;
	a->cpu = cpu;
	a->ways = ways;
	a->rank = cpu ? ESTIMATE : VISITS;
	a->worst_most = worst_most;
	a->vm = calloc(t->vms, sizeof(*a->vm));
	a->name = calloc(t->task_names, sizeof(*a->name));
	for (unsigned w = 0; w < WAYS; w++)
		a->worst[w] = calloc(worst_most + 1, sizeof(*a->worst[w]));
	if (find_phases(a))
		a->group = calloc(a->phases, sizeof(*a->group));
	if (a->vm && a->name && a->group && a->worst[0] && a->worst[1])
		return true;
	account_free(a);
	return false;
}

static void group_free(struct account_group *g)
{
	for (unsigned w = 0; w < WAYS; w++)
		tally_free(&g->main[w]);
}

void account_free(struct account *a)
{
	for (size_t i = 0; a->vm && i < a->t->vms; i++)
		group_free(&a->vm[i]);
	for (size_t i = 0; a->name && i < a->t->task_names; i++)
		group_free(&a->name[i]);
	for (size_t i = 0; a->group && i < a->phases; i++)
		group_free(&a->group[i]);
	group_free(&a->back);
	for (unsigned w = 0; w < WAYS; w++) {
		for (unsigned op = 0; op <= TRACE_OPS; op++)
			for (unsigned m = 0; m < MEASURES; m++)
				tally_free(&a->op[w][op][m]);
		free(a->worst[w]);
	}
	free(a->vm);
	free(a->name);
	free(a->group);
	free(a->phase);
	memset(a, 0, sizeof(*a));
}

void account_phase_begins(struct account *a)
{
	a->now++;
}

static struct call_cost cost_of(struct account *a, unsigned way,
				const struct s2m_counters *n)
{
	struct call_cost c = { .n = { [VISITS] = n->pte_reads,
				      [DSBS] = n->dsb,
				      [LINES] = n->clean_lines } };
	uint64_t times[COST_PARTS];
	bool all;

	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		c.n[TLBIS] += n->tlbi[i];
	if (!a->cpu)
		return c;
	cost_occurrences(n, times);
	for (unsigned i = 0; i < COST_PARTS; i++)
		a->times[way][i] += times[i];
	c.n[ESTIMATE] = (uint64_t)(cost_estimate(a->cpu, times, &all) * 1000 + 0.5);
	return c;
}

static bool group_add(const struct account *a, struct account_group *g,
		      const struct call_cost *cost)
{
	bool ok = true;

	g->calls++;
	for (unsigned w = 0; w < a->ways; w++) {
		for (unsigned m = 0; m < MEASURES; m++)
			g->sum[w].n[m] += cost[w].n[m];
		ok &= tally_add(&g->main[w], cost[w].n[a->rank], 1);
	}
	return ok;
}

/* The list is sorted; of calls that cost the same, the first come first. */
static void worst_add(struct account *a, unsigned way, const struct account_call *call)
{
	struct account_call *list = a->worst[way];
	unsigned n = a->worsts[way];
	const uint64_t cost = call->cost[way].n[a->rank];

	if (!cost ||
	    (n == a->worst_most && (!n || list[n - 1].cost[way].n[a->rank] >= cost)))
		return;
	for (; n && list[n - 1].cost[way].n[a->rank] < cost; n--)
		list[n] = list[n - 1];
	list[n] = *call;
	if (a->worsts[way] < a->worst_most)
		a->worsts[way]++;
}

static void write_cost(const struct account *a, const struct call_cost *c)
{
	for (unsigned m = 0; m < ESTIMATE; m++)
		fprintf(a->calls, ",%" PRIu64, c->n[m]);
	if (a->cpu)
		fprintf(a->calls, ",%" PRIu64 ".%03u", c->n[ESTIMATE] / 1000,
			(unsigned)(c->n[ESTIMATE] % 1000));
	else
		fputs(",", a->calls);
}

static void write_call(const struct account *a, const struct account_call *call)
{
	const struct trace_event *ev = &call->ev;

	fprintf(a->calls, "%" PRIu32 ",%" PRIu64 ".%09u,%u,", ev->line,
		ev->time / 1000000000, (unsigned)(ev->time % 1000000000), ev->cpu);
	if (ev->task != ACCOUNT_NO_TASK) {
		const struct trace_task *task = &a->t->task[ev->task];

		fprintf(a->calls, "%" PRIu64 ",\"", task->pid);
		for (const char *c = a->t->task_name[task->name]; *c; c++)
			fprintf(a->calls, "%s%c", *c == '"' ? "\"" : "", *c);
		fputs("\",", a->calls);
	} else {
		fputs(",\"\",", a->calls);
	}
	fprintf(a->calls, "%" PRIu32 ",%s,0x%" PRIx64 ",%" PRIu64, ev->vm,
		trace_op_names[ev->op], ev->addr, ev->size);
	write_cost(a, &call->cost[WAY_STAGE2]);
	if (a->ways > 1)
		write_cost(a, &call->cost[WAY_MERGED]);
	else
		fputs(",,,,,", a->calls);
	fputc('\n', a->calls);
}

bool account_call(struct account *a, const struct trace_event *ev,
		  const struct s2m_counters *const n[WAYS], uint64_t mapped,
		  uint64_t tables, bool back)
{
	struct account_bin *bin = &a->bin[ev->time / a->t->bins.width];
	struct account_call call = { .ev = *ev, .phase = a->now };
	bool ok = true;

	for (unsigned w = 0; w < a->ways; w++) {
		call.cost[w] = cost_of(a, w, n[w]);
		for (unsigned m = 0; m < MEASURES; m++) {
			const uint64_t value = call.cost[w].n[m];

			bin->sum[w].n[m] += value;
			if (m != ESTIMATE || a->cpu)
				ok &= tally_add(&a->op[w][ev->op][m], value, 1);
		}
	}
	bin->calls[ev->op]++;
	bin->mapped = mapped;
	bin->tables = tables;
	bin->used = true;
	ok &= group_add(a, &a->vm[ev->vm], call.cost);
	ok &= group_add(a, &a->group[a->now], call.cost);
	if (ev->task != ACCOUNT_NO_TASK)
		ok &= group_add(a, &a->name[a->t->task[ev->task].name], call.cost);
	if (back)
		ok &= group_add(a, &a->back, call.cost);
	for (unsigned w = 0; w < a->ways; w++)
		worst_add(a, w, &call);
	if (a->calls)
		write_call(a, &call);
	if (a->each)
		a->each(a->each_arg, a, &call);
	return ok;
}

static void group_end(struct account_group *g)
{
	for (unsigned w = 0; w < WAYS; w++)
		tally_sort(&g->main[w]);
}

bool account_end(struct account *a)
{
	bool ok = true;

	for (unsigned w = 0; w < a->ways; w++)
		for (unsigned m = 0; m < MEASURES; m++) {
			struct tally *all = &a->op[w][TRACE_OPS][m];

			for (unsigned op = 0; op < TRACE_OPS; op++) {
				ok &= tally_merge(all, &a->op[w][op][m]);
				tally_sort(&a->op[w][op][m]);
			}
			tally_sort(all);
		}
	for (size_t i = 0; i < a->t->vms; i++)
		group_end(&a->vm[i]);
	for (size_t i = 0; i < a->t->task_names; i++)
		group_end(&a->name[i]);
	for (size_t i = 0; i < a->phases; i++)
		group_end(&a->group[i]);
	group_end(&a->back);
	/* A bin without a call is as the one before it. */
	for (unsigned i = 1; i < TRACE_BINS; i++)
		if (!a->bin[i].used) {
			a->bin[i].mapped = a->bin[i - 1].mapped;
			a->bin[i].tables = a->bin[i - 1].tables;
		}
	return ok;
}

struct ranked {
	uint64_t cost;
	uint32_t i;
};

static int ranked_cmp(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? 1 : -1;
	return x->i < y->i ? -1 : x->i > y->i;
}

uint32_t *account_order(const struct account *a, const struct account_group *g, size_t n,
			size_t *count)
{
	struct ranked *r = malloc((n + 1) * sizeof(*r));
	uint32_t *order = malloc((n + 1) * sizeof(*order));

	*count = 0;
	for (size_t i = 0; i < n && r && order; i++)
		if (g[i].calls)
			r[(*count)++] = (struct ranked){ g[i].sum[a->ways - 1].n[a->rank],
							 (uint32_t)i };
	if (r && order)
		qsort(r, *count, sizeof(*r), ranked_cmp);
	for (size_t i = 0; i < *count; i++)
		order[i] = r[i].i;
	free(r);
	return order;
}
