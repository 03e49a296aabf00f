/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab replay: its output for programs. docs/replay.md describes it. */
#include <inttypes.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "account_json.h"
#include "advice.h"
#include "common/cost_report.h"
#include "common/options.h"
#include "common/report.h"
#include "replay.h"

/* Raise it when a key goes or changes its meaning. */
#define FORMAT 1

static void number(cJSON *to, const char *name, uint64_t n)
{
	cJSON_AddNumberToObject(to, name, (double)n);
}

static cJSON *counters_json(const struct replay_cost *c)
{
	cJSON *o = cJSON_CreateObject(), *t;

	number(o, "calls", c->calls);
	number(o, "pte_reads", c->sum.pte_reads);
	number(o, "pte_writes", c->sum.pte_writes);
	t = cJSON_AddObjectToObject(o, "tlbi");
	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		if (c->sum.tlbi[i])
			cJSON_AddNumberToObject(t, s2m_tlbi_name((enum s2m_tlbi)i),
						(double)c->sum.tlbi[i]);
	number(o, "dsb", c->sum.dsb);
	number(o, "isb", c->sum.isb);
	number(o, "clean_lines", c->sum.clean_lines);
	number(o, "tables_taken", c->sum.tables_taken);
	number(o, "tables_freed", c->sum.tables_given);
	number(o, "longest_step", c->longest);
	return o;
}

static void add_costs(cJSON *top, const char *name, const struct replay_cost *cost)
{
	struct replay_cost all = replay_total(cost);
	cJSON *o = counters_json(&all), *by;

	cJSON_AddItemToObject(top, name, o);
	by = cJSON_AddObjectToObject(o, "by_operation");
	for (size_t i = 0; i < REPLAY_LISTED; i++)
		if (cost[replay_listed[i]].calls)
			cJSON_AddItemToObject(by, trace_op_names[replay_listed[i]],
					      counters_json(&cost[replay_listed[i]]));
}

static void add_findings(cJSON *list, const struct replay_result *r)
{
	for (unsigned i = 0; i < r->findings; i++) {
		const struct replay_finding *f = &r->finding[i];
		cJSON *e = cJSON_CreateObject();

		cJSON_AddStringToObject(e, "rule", f->rule);
		cJSON_AddStringToObject(e, "detail", f->detail);
		cJSON_AddNumberToObject(e, "line", f->line);
		number(e, "ipa", f->ipa);
		cJSON_AddItemToArray(list, e);
	}
}

static cJSON *advice_json(const struct replay_result *r)
{
	struct advice list[ADVICE_MOST];
	unsigned n = replay_advice(r, list);
	cJSON *array = cJSON_CreateArray();

	for (unsigned i = 0; i < n; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "what", list[i].what);
		cJSON_AddStringToObject(o, "text", list[i].text);
		cJSON_AddItemToObject(o, "saves",
				      account_cost_json(&list[i].saves, false));
		cJSON_AddItemToArray(array, o);
	}
	return array;
}

static void add_recording(cJSON *top, const struct replay_result *r)
{
	const struct trace *t = r->trace;

	number(top, "vms", t->vms);
	number(top, "vms_that_mapped", replay_vms_that_mapped(t));
	number(top, "vms_of_52_bits", r->wide_vms);
	number(top, "vms_not_destroyed", r->unfinished_vms);
	number(top, "vms_earlier", t->earlier_vms);
	number(top, "vms_partial", r->partial_vms);
	number(top, "failed_calls", replay_failed(t));
	number(top, "earlier_calls", t->earlier_calls);
	number(top, "found_nothing", r->found_nothing);
	number(top, "left_out_calls", t->left_out_calls);
	number(top, "guest_faults", t->faults);
	number(top, "other_events", t->ignored);
	number(top, "mapped_bytes", r->mapped);
	number(top, "unmapped_bytes", r->unmapped);
	number(top, "empty_unmaps", r->empty_unmaps);
	number(top, "most_tables", r->most_tables);
	number(top, "comparisons", r->checks);
}

static void add_estimates(cJSON *top, const struct account *a)
{
	for (unsigned w = 0; w < a->ways && a->cpu; w++)
		cJSON_AddItemToObject(cJSON_GetObjectItem(top, account_way_names[w]),
				      "estimate",
				      cost_estimate_json(a->cpu, a->times[w]));
}

struct cJSON *replay_json(const struct replay_result *r)
{
	const struct replay_result *batched = r->batch_asked ? r->batched : NULL;
	bool found = r->findings || (r->batched && r->batched->findings);
	cJSON *top = cJSON_CreateObject(), *list;
	char feat[LAB_FEATURES_LEN];

	number(top, "format", FORMAT);
	cJSON_AddStringToObject(top, "file", r->trace->name);
	list = cJSON_AddArrayToObject(top, "features");
	for (uint32_t bit = 1; bit <= S2_FEAT_LPA2; bit <<= 1)
		if (r->features & bit)
			cJSON_AddItemToArray(
				list, cJSON_CreateString(lab_features_text(bit, feat)));
	add_recording(top, r);
	cJSON_AddStringToObject(top, "verdict", found ? "unsafe" : "safe");
	list = cJSON_AddArrayToObject(top, "violations");
	add_findings(list, r);
	if (r->batched)
		add_findings(list, r->batched);
	add_costs(top, "stage2", r->cost);
	if (batched) {
		add_costs(top, "batched", batched->cost);
		list = cJSON_GetObjectItem(top, "batched");
		number(list, "batch", batched->batch);
		number(list, "flushes", batched->flushes);
	}
	if (r->merged)
		add_costs(top, "merged", r->merged);
	if (r->account->cpu)
		cJSON_AddItemToObject(top, "cpu", cost_json(r->account->cpu));
	add_estimates(top, r->account);
	account_json(top, r->account);
	moments_json(top, r->moments);
	if (r->advice)
		cJSON_AddItemToObject(top, "advice", advice_json(r));
	return top;
}
