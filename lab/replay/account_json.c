/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cost of each call as JSON. docs/replay.md describes the keys. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "account_json.h"

#define SECOND 1e9
#define MILLI 1000.

/* Values of a measure: the estimate is kept in thousandths. */
static double value(unsigned measure, uint64_t n)
{
	return measure == ESTIMATE ? (double)n / MILLI : (double)n;
}

static unsigned measures(const struct account *a)
{
	return a->cpu ? MEASURES : ESTIMATE;
}

cJSON *account_cost_json(const struct call_cost *c, bool cpu)
{
	cJSON *o = cJSON_CreateObject();

	for (unsigned m = 0; m < (cpu ? MEASURES : ESTIMATE); m++)
		cJSON_AddNumberToObject(o, account_measure_names[m], value(m, c->n[m]));
	return o;
}

static void add_percentiles(cJSON *o, const struct tally *t, unsigned measure)
{
	cJSON_AddNumberToObject(o, "p50", value(measure, tally_percentile(t, 50)));
	cJSON_AddNumberToObject(o, "p99", value(measure, tally_percentile(t, 99)));
	cJSON_AddNumberToObject(o, "max", value(measure, tally_percentile(t, 100)));
}

/* Adds the calls of a group, and for each way the sum and the percentiles. */
static void add_group(cJSON *o, const struct account *a, const struct account_group *g)
{
	cJSON_AddNumberToObject(o, "calls", (double)g->calls);
	for (unsigned w = 0; w < a->ways; w++) {
		cJSON *cost = account_cost_json(&g->sum[w], a->cpu);

		add_percentiles(cost, &g->main[w], a->rank);
		cJSON_AddItemToObject(o, account_way_names[w], cost);
	}
}

/* The name of an operation; TRACE_OPS: of all. */
static const char *op_name(unsigned op)
{
	return op < TRACE_OPS ? trace_op_names[op] : "all";
}

static void add_each_percentile(cJSON *top, const struct account *a)
{
	cJSON *all = cJSON_AddObjectToObject(top, "percentiles");

	for (unsigned w = 0; w < a->ways; w++) {
		cJSON *way = cJSON_AddObjectToObject(all, account_way_names[w]);

		for (unsigned op = 0; op <= TRACE_OPS; op++) {
			cJSON *o;

			if (!a->op[w][op][VISITS].n)
				continue;
			o = cJSON_AddObjectToObject(way, op_name(op));
			for (unsigned m = 0; m < measures(a); m++)
				add_percentiles(cJSON_AddObjectToObject(
							o, account_measure_names[m]),
						&a->op[w][op][m], m);
		}
	}
}

/* ---- histograms: 0, then powers of two ---- */

#define BUCKETS 65u

static unsigned bucket(uint64_t n)
{
	return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

static uint64_t bucket_from(unsigned i)
{
	return i ? UINT64_C(1) << (i - 1) : 0;
}

static cJSON *histogram(const struct tally *t, unsigned buckets)
{
	double n[BUCKETS] = { 0 };

	for (size_t i = 0; i < t->used; i++)
		n[bucket(t->slot[i].value)] += (double)t->slot[i].count;
	return cJSON_CreateDoubleArray(n, (int)buckets);
}

static void add_histogram(cJSON *top, const struct account *a, unsigned measure)
{
	cJSON *o = cJSON_AddObjectToObject(top, account_measure_names[measure]);
	double from[BUCKETS];
	unsigned buckets = 1;

	for (unsigned w = 0; w < a->ways; w++) {
		const struct tally *t = &a->op[w][TRACE_OPS][measure];
		unsigned n = bucket(tally_percentile(t, 100)) + 1;

		buckets = n > buckets ? n : buckets;
	}
	for (unsigned i = 0; i < buckets; i++)
		from[i] = value(measure, bucket_from(i));
	cJSON_AddItemToObject(o, "from", cJSON_CreateDoubleArray(from, (int)buckets));
	for (unsigned w = 0; w < a->ways; w++) {
		cJSON *way = cJSON_AddObjectToObject(o, account_way_names[w]);

		for (unsigned op = 0; op <= TRACE_OPS; op++)
			if (a->op[w][op][measure].n)
				cJSON_AddItemToObject(way, op_name(op),
						      histogram(&a->op[w][op][measure],
								buckets));
	}
}

/* ---- over time ---- */

/* One list of the timeline: what @get says of each bin. */
static void add_bins(cJSON *to, const char *name, const struct account *a, unsigned bins,
		     double (*get)(const struct account *a, unsigned bin, unsigned which,
				   unsigned way),
		     unsigned which, unsigned way)
{
	double n[TRACE_BINS];

	for (unsigned i = 0; i < bins; i++)
		n[i] = get(a, i, which, way);
	cJSON_AddItemToObject(to, name, cJSON_CreateDoubleArray(n, (int)bins));
}

static double bin_faults(const struct account *a, unsigned i, unsigned which,
			 unsigned way)
{
	(void)which;
	(void)way;
	return (double)a->t->bins.n[i];
}

static double bin_mapped(const struct account *a, unsigned i, unsigned which,
			 unsigned way)
{
	(void)way;
	return (double)(which ? a->bin[i].tables : a->bin[i].mapped);
}

static double bin_calls(const struct account *a, unsigned i, unsigned op, unsigned way)
{
	(void)way;
	return (double)a->bin[i].calls[op];
}

static double bin_cost(const struct account *a, unsigned i, unsigned measure,
		       unsigned way)
{
	return value(measure, a->bin[i].sum[way].n[measure]);
}

static void add_timeline(cJSON *top, const struct account *a)
{
	const struct trace *t = a->t;
	unsigned bins = (unsigned)((t->end - t->start) / t->bins.width) + 1;
	cJSON *o = cJSON_AddObjectToObject(top, "timeline"), *calls;

	cJSON_AddNumberToObject(o, "bin", (double)t->bins.width / SECOND);
	cJSON_AddNumberToObject(o, "bins", bins);
	add_bins(o, "faults", a, bins, bin_faults, 0, 0);
	calls = cJSON_AddObjectToObject(o, "calls");
	for (unsigned op = 0; op < TRACE_OPS; op++)
		if (a->op[WAY_STAGE2][op][VISITS].n)
			add_bins(calls, trace_op_names[op], a, bins, bin_calls, op, 0);
	add_bins(o, "mapped_bytes", a, bins, bin_mapped, 0, 0);
	add_bins(o, "tables", a, bins, bin_mapped, 1, 0);
	for (unsigned w = 0; w < a->ways; w++) {
		cJSON *way = cJSON_AddObjectToObject(o, account_way_names[w]);

		for (unsigned m = 0; m < measures(a); m++)
			add_bins(way, account_measure_names[m], a, bins, bin_cost, m, w);
	}
}

/* ---- calls and groups ---- */

static cJSON *call_json(const struct account *a, const struct account_call *c)
{
	const struct trace_task *task = NULL;
	cJSON *o = cJSON_CreateObject();

	if (c->ev.task != ACCOUNT_NO_TASK)
		task = &a->t->task[c->ev.task];
	cJSON_AddNumberToObject(o, "line", c->ev.line);
	cJSON_AddNumberToObject(o, "t", (double)c->ev.time / SECOND);
	cJSON_AddStringToObject(o, "operation", trace_op_names[c->ev.op]);
	cJSON_AddNumberToObject(o, "vm", c->ev.vm);
	if (task) {
		cJSON_AddStringToObject(o, "task", a->t->task_name[task->name]);
		cJSON_AddNumberToObject(o, "pid", (double)task->pid);
	}
	cJSON_AddNumberToObject(o, "phase", c->phase);
	cJSON_AddNumberToObject(o, "ipa", (double)c->ev.addr);
	cJSON_AddNumberToObject(o, "size", (double)c->ev.size);
	for (unsigned w = 0; w < a->ways; w++)
		cJSON_AddItemToObject(o, account_way_names[w],
				      account_cost_json(&c->cost[w], a->cpu));
	return o;
}

static void add_worst(cJSON *top, const struct account *a)
{
	cJSON *o = cJSON_AddObjectToObject(top, "worst");

	for (unsigned w = 0; w < a->ways; w++) {
		cJSON *list = cJSON_AddArrayToObject(o, account_way_names[w]);

		for (unsigned i = 0; i < a->worsts[w]; i++)
			cJSON_AddItemToArray(list, call_json(a, &a->worst[w][i]));
	}
}

static void add_vms(cJSON *top, const struct account *a)
{
	cJSON *list = cJSON_AddArrayToObject(top, "by_vm");
	size_t n;
	uint32_t *order = account_order(a, a->vm, a->t->vms, &n);

	for (size_t i = 0; i < n; i++) {
		const struct trace_vm *vm = &a->t->vm[order[i]];
		cJSON *o = cJSON_CreateObject();
		char pgt[24];

		snprintf(pgt, sizeof(pgt), "0x%" PRIx64, vm->pgt);
		cJSON_AddNumberToObject(o, "vm", order[i]);
		cJSON_AddStringToObject(o, "pgt", pgt);
		cJSON_AddNumberToObject(o, "line", vm->init_line);
		cJSON_AddNumberToObject(o, "ipa_bits", vm->ia_bits);
		cJSON_AddNumberToObject(o, "maps", vm->maps);
		cJSON_AddBoolToObject(o, "partial", vm->partial);
		add_group(o, a, &a->vm[order[i]]);
		cJSON_AddItemToArray(list, o);
	}
	free(order);
}

static void add_tasks(cJSON *top, const struct account *a)
{
	cJSON *list = cJSON_AddArrayToObject(top, "by_task");
	const struct trace *t = a->t;
	uint64_t *pids = calloc(t->task_names, sizeof(*pids));
	size_t n;
	uint32_t *order = account_order(a, a->name, t->task_names, &n);

	for (size_t i = 0; i < t->tasks && pids; i++)
		pids[t->task[i].name]++;
	for (size_t i = 0; i < n; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "task", t->task_name[order[i]]);
		if (pids)
			cJSON_AddNumberToObject(o, "pids", (double)pids[order[i]]);
		add_group(o, a, &a->name[order[i]]);
		cJSON_AddItemToArray(list, o);
	}
	free(order);
	free(pids);
}

static void add_phases(cJSON *top, const struct account *a)
{
	cJSON *list = cJSON_AddArrayToObject(top, "by_phase");

	for (uint32_t i = 0; i < a->phases; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "phase", a->phase[i].text);
		cJSON_AddNumberToObject(o, "line", a->phase[i].line);
		cJSON_AddNumberToObject(o, "t", (double)a->phase[i].time / SECOND);
		add_group(o, a, &a->group[i]);
		cJSON_AddItemToArray(list, o);
	}
}

void account_json(cJSON *top, const struct account *a)
{
	cJSON *o = cJSON_AddObjectToObject(top, "time");

	cJSON_AddNumberToObject(o, "start", (double)a->t->start / SECOND);
	cJSON_AddNumberToObject(o, "duration",
				(double)(a->t->end - a->t->start) / SECOND);
	cJSON_AddStringToObject(top, "measure", account_measure_names[a->rank]);
	add_timeline(top, a);
	add_each_percentile(top, a);
	o = cJSON_AddObjectToObject(top, "histogram");
	for (unsigned m = 0; m < measures(a); m++)
		add_histogram(o, a, m);
	add_worst(top, a);
	add_vms(top, a);
	add_tasks(top, a);
	add_phases(top, a);
}

void moments_json(cJSON *top, const struct moments *ms)
{
	cJSON *list = cJSON_AddArrayToObject(top, "maps");

	for (size_t i = 0; i < ms->n; i++) {
		const struct level_map *m = &ms->moment[i];
		cJSON *o = cJSON_CreateObject(), *cells;

		cJSON_AddNumberToObject(o, "t", (double)m->time / SECOND);
		cJSON_AddNumberToObject(o, "line", m->line);
		cJSON_AddStringToObject(o, "why", m->why);
		cJSON_AddNumberToObject(o, "vm", m->vm);
		cJSON_AddNumberToObject(o, "cell_bytes",
					(double)(UINT64_C(1) << m->shift));
		cells = cJSON_AddArrayToObject(o, "cells");
		for (unsigned c = 0; c < m->cells; c++) {
			const struct level_cell *cell = &m->cell[c];
			const double n[] = { (double)cell->ipa, (double)cell->bytes[0],
					     (double)cell->bytes[1],
					     (double)cell->bytes[2],
					     (double)cell->bytes[3] };

			cJSON_AddItemToArray(cells, cJSON_CreateDoubleArray(n, 5));
		}
		cJSON_AddItemToArray(list, o);
	}
}
