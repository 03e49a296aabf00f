// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* s2lab replay: its output. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "common/counters.h"
#include "common/options.h"
#include "replay.h"
#include "common/report.h"

/* The order in which operations are listed. */
static const uint8_t listed[] = {
	TRACE_INIT,    TRACE_MAP, TRACE_UNMAP, TRACE_WRPROTECT, TRACE_RELAX_PERMS,
	TRACE_MKYOUNG, TRACE_AGE, TRACE_FLUSH, TRACE_SPLIT,	TRACE_DESTROY,
};
#define LISTED (sizeof(listed) / sizeof(listed[0]))

static uint64_t tlbis(const struct replay_cost *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		n += c->sum.tlbi[i];
	return n;
}

static struct replay_cost total(const struct replay_cost *cost)
{
	struct replay_cost t = { 0 };

	for (size_t i = 0; i < LISTED; i++) {
		const struct replay_cost *c = &cost[listed[i]];

		t.calls += c->calls;
		lab_counters_add(&t.sum, &c->sum);
		if (c->longest > t.longest)
			t.longest = c->longest;
	}
	return t;
}

static uint64_t vms_that_mapped(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->vms; i++)
		n += t->vm[i].maps > 0;
	return n;
}

static uint64_t failed(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->events; i++)
		n += t->event[i].op == TRACE_FAILED;
	return n;
}

/* ---- for people ------------------------------------------------------------ */

enum { CALLS, TLBIS, DSBS, VISITS, WRITES, LINES };

static uint64_t count(const struct replay_cost *c, unsigned what)
{
	switch (what) {
	case CALLS:
		return c->calls;
	case TLBIS:
		return tlbis(c);
	case DSBS:
		return c->sum.dsb;
	case VISITS:
		return c->sum.pte_reads;
	case WRITES:
		return c->sum.pte_writes;
	default:
		return c->sum.clean_lines;
	}
}

/* The ways to do the operations, shown side by side: this engine, batch, Linux. */
struct ways {
	const struct replay_cost *cost[3];
	const char *head[3]; /* of the column; NULL: the name of the counter */
	unsigned n;
};

static struct ways ways(const struct replay_result *r)
{
	struct ways w = { { r->cost }, { NULL }, 1 };

	if (r->batched) {
		w.cost[w.n] = r->batched->cost;
		w.head[w.n++] = "batch";
	}
	if (r->merged) {
		w.cost[w.n] = r->merged;
		w.head[w.n++] = "6.12";
	}
	return w;
}

/* @op: TRACE_OPS for all of them. */
static void add_row(struct lab_table *t, unsigned op, unsigned columns,
		    const struct ways *w)
{
	lab_table_text(t, LAB_PLAIN, "%s", op < TRACE_OPS ? trace_op_names[op] : "all");
	for (unsigned what = CALLS; what <= LINES; what++) {
		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 0; i < (what == CALLS ? 1 : w->n); i++) {
			struct replay_cost all = total(w->cost[i]);

			lab_table_count(t, count(op < TRACE_OPS ? &w->cost[i][op] : &all,
						 what));
		}
	}
}

/* The ratio of Linux's counts to those of way @which. */
static void add_ratios(struct lab_table *t, unsigned columns, const struct ways *w,
		       unsigned which)
{
	struct replay_cost theirs = total(w->cost[w->n - 1]);
	struct replay_cost ours = total(w->cost[which]);

	lab_table_text(t, LAB_PLAIN, "6.12 / %s", which ? w->head[which] : "this");
	for (unsigned what = CALLS; what <= LINES; what++) {
		uint64_t n = count(&ours, what);

		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 1; i < (what == CALLS ? 2 : w->n); i++)
			lab_table_text(t, LAB_PLAIN, "%s", "");
		if (what == CALLS)
			continue;
		if (n)
			lab_table_text(t, LAB_BOLD, "%.2f",
				       (double)count(&theirs, what) / (double)n);
		else
			lab_table_text(t, LAB_BOLD, "%s",
				       count(&theirs, what) ? "-" : "");
	}
}

/* A table of the counters in @columns (a bit each), with a column for each way. */
static void print_costs(const struct replay_result *r, unsigned columns)
{
	static const char *const heads[] = { "calls",  "TLBIs",	 "DSBs",
					     "visits", "writes", "cleaned" };
	const struct ways w = ways(r);
	struct lab_table t = { 0 };

	lab_table_column(&t, "operation", false);
	for (unsigned what = CALLS; what <= LINES; what++) {
		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 0; i < (what == CALLS ? 1 : w.n); i++)
			lab_table_column(&t, i ? w.head[i] : heads[what], true);
	}
	for (size_t i = 0; i < LISTED; i++)
		if (r->cost[listed[i]].calls)
			add_row(&t, listed[i], columns, &w);
	add_row(&t, TRACE_OPS, columns, &w);
	for (unsigned i = 0; r->merged && i + 1 < w.n; i++)
		add_ratios(&t, columns, &w, i);
	lab_table_print(&t, stdout, 2);
}

static void print_kinds(const char *who, const struct replay_cost *cost)
{
	struct replay_cost t = total(cost);
	char n[LAB_COUNT_LEN];

	printf("  %-5s", who);
	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		if (t.sum.tlbi[i])
			printf(" %s %s", s2m_tlbi_name((enum s2m_tlbi)i),
			       lab_count_text(t.sum.tlbi[i], n));
	printf("\n         tables taken %s,", lab_count_text(t.sum.tables_taken, n));
	printf(" freed %s;", lab_count_text(t.sum.tables_given, n));
	printf(" longest call %s entries\n", lab_count_text(t.longest, n));
}

static void print_findings(const struct replay_result *r)
{
	const char *off = lab_style(stdout, LAB_PLAIN), *bad = lab_style(stdout, LAB_BAD);

	for (unsigned i = 0; i < r->findings; i++) {
		const struct replay_finding *f = &r->finding[i];
		char text[REPLAY_DETAIL + 32];

		printf("%s%s%s at %s:%u\n", bad, f->rule, off, r->trace->name, f->line);
		snprintf(text, sizeof(text), "IPA 0x%" PRIx64 ": %s", f->ipa, f->detail);
		lab_wrap(stdout, 2, 80, text);
	}
	if (!r->findings)
		printf("%sno violation%s; compared with the flat map %" PRIu64
		       " times: no difference\n",
		       lab_style(stdout, LAB_GOOD), off, r->checks);
}

void replay_print(const struct replay_result *r)
{
	const struct trace *t = r->trace;
	char a[LAB_COUNT_LEN], b[LAB_COUNT_LEN], feat[LAB_FEATURES_LEN];
	bool lines, wide;

	printf("%s: %s VMs", t->name, lab_count_text(t->vms, a));
	printf(" (%s with mappings),", lab_count_text(vms_that_mapped(t), a));
	printf(" %s MiB mapped, %s MiB unmapped\n", lab_count_text(r->mapped >> 20, a),
	       lab_count_text(r->unmapped >> 20, b));
	printf("features: %s (%s)\n", lab_features_text(r->features, feat),
	       r->features_from);
	printf("not replayed: %s calls that failed,", lab_count_text(failed(t), a));
	printf(" %s guest faults, %s other events\n", lab_count_text(t->faults, a),
	       lab_count_text(t->ignored, b));
	if (r->wide_vms)
		printf("note: VMs with an IPA size above 48 bits (LPA2), replayed %s: "
		       "%" PRIu64 "\n",
		       r->features & S2_FEAT_LPA2 ? "as they were" : "with 48",
		       r->wide_vms);
	if (r->unfinished_vms)
		printf("note: VMs that the recording does not destroy, destroyed at its end: "
		       "%" PRIu64 "\n",
		       r->unfinished_vms);
	putchar('\n');
	print_costs(r, 1u << CALLS | 1u << TLBIS | 1u << DSBS);
	putchar('\n');
	lines = total(r->cost).sum.clean_lines ||
		(r->merged && total(r->merged).sum.clean_lines);
	/* Three counters in three ways are too many columns. */
	wide = r->batched && r->merged;
	print_costs(r, 1u << VISITS | 1u << WRITES | (lines && !wide ? 1u << LINES : 0));
	putchar('\n');
	if (lines && wide) {
		print_costs(r, 1u << LINES);
		putchar('\n');
	}
	print_kinds("this", r->cost);
	if (r->batched)
		print_kinds("batch", r->batched->cost);
	if (r->merged)
		print_kinds("6.12", r->merged);
	putchar('\n');
	if (r->batched)
		printf("batch: up to %" PRIu32
		       " unmap calls before a flush; %s flush%s\n",
		       r->batched->batch, lab_count_text(r->batched->flushes, a),
		       r->batched->flushes == 1 ? "" : "es");
	print_findings(r);
	if (r->batched)
		print_findings(r->batched);
}

/* ---- for programs ---------------------------------------------------------- */

static cJSON *cost_json(const struct replay_cost *c)
{
	cJSON *o = cJSON_CreateObject(), *t;

	cJSON_AddNumberToObject(o, "calls", (double)c->calls);
	cJSON_AddNumberToObject(o, "pte_reads", (double)c->sum.pte_reads);
	cJSON_AddNumberToObject(o, "pte_writes", (double)c->sum.pte_writes);
	t = cJSON_AddObjectToObject(o, "tlbi");
	for (unsigned i = 0; i < S2M_TLBI_KINDS; i++)
		if (c->sum.tlbi[i])
			cJSON_AddNumberToObject(t, s2m_tlbi_name((enum s2m_tlbi)i),
						(double)c->sum.tlbi[i]);
	cJSON_AddNumberToObject(o, "dsb", (double)c->sum.dsb);
	cJSON_AddNumberToObject(o, "isb", (double)c->sum.isb);
	cJSON_AddNumberToObject(o, "clean_lines", (double)c->sum.clean_lines);
	cJSON_AddNumberToObject(o, "tables_taken", (double)c->sum.tables_taken);
	cJSON_AddNumberToObject(o, "tables_freed", (double)c->sum.tables_given);
	cJSON_AddNumberToObject(o, "longest_step", (double)c->longest);
	return o;
}

static void add_costs(cJSON *top, const char *name, const struct replay_cost *cost)
{
	struct replay_cost all = total(cost);
	cJSON *o = cost_json(&all), *by;

	cJSON_AddItemToObject(top, name, o);
	by = cJSON_AddObjectToObject(o, "by_operation");
	for (size_t i = 0; i < LISTED; i++)
		if (cost[listed[i]].calls)
			cJSON_AddItemToObject(by, trace_op_names[listed[i]],
					      cost_json(&cost[listed[i]]));
}

static void add_findings(cJSON *list, const struct replay_result *r)
{
	for (unsigned i = 0; i < r->findings; i++) {
		const struct replay_finding *f = &r->finding[i];
		cJSON *e = cJSON_CreateObject();

		cJSON_AddStringToObject(e, "rule", f->rule);
		cJSON_AddStringToObject(e, "detail", f->detail);
		cJSON_AddNumberToObject(e, "line", f->line);
		cJSON_AddNumberToObject(e, "ipa", (double)f->ipa);
		cJSON_AddItemToArray(list, e);
	}
}

void replay_print_json(const struct replay_result *r)
{
	bool found = r->findings || (r->batched && r->batched->findings);
	cJSON *top = cJSON_CreateObject(), *list;
	char feat[LAB_FEATURES_LEN];

	cJSON_AddStringToObject(top, "file", r->trace->name);
	list = cJSON_AddArrayToObject(top, "features");
	for (uint32_t bit = 1; bit <= S2_FEAT_LPA2; bit <<= 1)
		if (r->features & bit)
			cJSON_AddItemToArray(
				list, cJSON_CreateString(lab_features_text(bit, feat)));
	cJSON_AddNumberToObject(top, "vms", (double)r->trace->vms);
	cJSON_AddNumberToObject(top, "vms_that_mapped",
				(double)vms_that_mapped(r->trace));
	cJSON_AddNumberToObject(top, "vms_of_52_bits", (double)r->wide_vms);
	cJSON_AddNumberToObject(top, "vms_not_destroyed", (double)r->unfinished_vms);
	cJSON_AddNumberToObject(top, "failed_calls", (double)failed(r->trace));
	cJSON_AddNumberToObject(top, "guest_faults", (double)r->trace->faults);
	cJSON_AddNumberToObject(top, "other_events", (double)r->trace->ignored);
	cJSON_AddNumberToObject(top, "mapped_bytes", (double)r->mapped);
	cJSON_AddNumberToObject(top, "unmapped_bytes", (double)r->unmapped);
	cJSON_AddNumberToObject(top, "most_tables", (double)r->most_tables);
	cJSON_AddNumberToObject(top, "comparisons", (double)r->checks);
	cJSON_AddStringToObject(top, "verdict", found ? "unsafe" : "safe");
	list = cJSON_AddArrayToObject(top, "violations");
	add_findings(list, r);
	if (r->batched)
		add_findings(list, r->batched);
	add_costs(top, "stage2", r->cost);
	if (r->batched) {
		add_costs(top, "batched", r->batched->cost);
		list = cJSON_GetObjectItem(top, "batched");
		cJSON_AddNumberToObject(list, "batch", r->batched->batch);
		cJSON_AddNumberToObject(list, "flushes", (double)r->batched->flushes);
	}
	if (r->merged)
		add_costs(top, "merged", r->merged);
	lab_json_print(top);
}
