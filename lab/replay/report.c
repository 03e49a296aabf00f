// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* s2lab replay: its output for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account_text.h"
#include "advice.h"
#include "common/options.h"
#include "common/report.h"

/* ---- for people ------------------------------------------------------------ */

enum { COL_CALLS, COL_TLBIS, COL_DSBS, COL_VISITS, COL_WRITES, COL_LINES };

static uint64_t count(const struct replay_cost *c, unsigned what)
{
	switch (what) {
	case COL_CALLS:
		return c->calls;
	case COL_TLBIS:
		return replay_tlbis(c);
	case COL_DSBS:
		return c->sum.dsb;
	case COL_VISITS:
		return c->sum.pte_reads;
	case COL_WRITES:
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

	if (r->batch_asked) {
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
	for (unsigned what = COL_CALLS; what <= COL_LINES; what++) {
		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 0; i < (what == COL_CALLS ? 1 : w->n); i++) {
			struct replay_cost all = replay_total(w->cost[i]);

			lab_table_count(t, count(op < TRACE_OPS ? &w->cost[i][op] : &all,
						 what));
		}
	}
}

/* The ratio of Linux's counts to those of way @which. */
static void add_ratios(struct lab_table *t, unsigned columns, const struct ways *w,
		       unsigned which)
{
	struct replay_cost theirs = replay_total(w->cost[w->n - 1]);
	struct replay_cost ours = replay_total(w->cost[which]);

	lab_table_text(t, LAB_PLAIN, "6.12 / %s", which ? w->head[which] : "this");
	for (unsigned what = COL_CALLS; what <= COL_LINES; what++) {
		uint64_t n = count(&ours, what);

		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 1; i < (what == COL_CALLS ? 2 : w->n); i++)
			lab_table_text(t, LAB_PLAIN, "%s", "");
		if (what == COL_CALLS)
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
	for (unsigned what = COL_CALLS; what <= COL_LINES; what++) {
		if (!(columns & 1u << what))
			continue;
		for (unsigned i = 0; i < (what == COL_CALLS ? 1 : w.n); i++)
			lab_table_column(&t, i ? w.head[i] : heads[what], true);
	}
	for (size_t i = 0; i < REPLAY_LISTED; i++)
		if (r->cost[replay_listed[i]].calls)
			add_row(&t, replay_listed[i], columns, &w);
	add_row(&t, TRACE_OPS, columns, &w);
	for (unsigned i = 0; r->merged && i + 1 < w.n; i++)
		add_ratios(&t, columns, &w, i);
	lab_table_print(&t, stdout, 2);
}

static void print_kinds(const char *who, const struct replay_cost *cost)
{
	struct replay_cost t = replay_total(cost);
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

static void print_advice(const struct replay_result *r)
{
	struct advice list[ADVICE_MOST];
	unsigned n = replay_advice(r, list);

	if (n)
		printf("\n%sWhat would make it cheaper%s\n", lab_style(stdout, LAB_BOLD),
		       lab_style(stdout, LAB_PLAIN));
	for (unsigned i = 0; i < n; i++)
		lab_wrap(stdout, 2, 80, list[i].text);
}

/* VMs that were not as the recording would have them, or not there at all. */
static void print_notes(const struct replay_result *r)
{
	const struct trace *t = r->trace;
	char a[LAB_COUNT_LEN];

	if (r->wide_vms)
		printf("note: VMs with an IPA size above 48 bits (LPA2), replayed %s: "
		       "%" PRIu64 "\n",
		       r->features & S2_FEAT_LPA2 ? "as they were" : "with 48",
		       r->wide_vms);
	if (r->unfinished_vms)
		printf("note: VMs that the recording does not destroy, destroyed at its end, "
		       "or when their pgt is used again: %" PRIu64 "\n",
		       r->unfinished_vms);
	if (t->earlier_vms)
		printf("note: VMs that ran before the recording began, left out with %s "
		       "calls (--partial replays them): %" PRIu64 "\n",
		       lab_count_text(t->earlier_calls, a), t->earlier_vms);
	if (r->partial_vms)
		printf("note: VMs that ran before the recording began, replayed without what "
		       "they had mapped: %" PRIu64 "\n",
		       r->partial_vms);
	if (r->found_nothing)
		printf("note: faults whose page was not mapped, left out: %s\n",
		       lab_count_text(r->found_nothing, a));
	if (*t->absent)
		printf("note: the recorded kernel had no probe for %s\n", t->absent);
	if (t->left_out_calls)
		printf("note: calls of other VMs, left out by --vm: %s\n",
		       lab_count_text(t->left_out_calls, a));
}

static void print_size(uint64_t bytes, const char *what)
{
	const bool kib = bytes >> 20 == 0 && bytes;
	char n[LAB_COUNT_LEN];

	printf(" %s %s %s", lab_count_text(bytes >> (kib ? 10 : 20), n),
	       kib ? "KiB" : "MiB", what);
}

void replay_print(const struct replay_result *r)
{
	const struct trace *t = r->trace;
	char a[LAB_COUNT_LEN], b[LAB_COUNT_LEN], feat[LAB_FEATURES_LEN];
	bool lines, wide;

	printf("%s: %s VM%s", t->name, lab_count_text(t->vms, a), t->vms == 1 ? "" : "s");
	printf(" (%s with mappings),", lab_count_text(replay_vms_that_mapped(t), a));
	print_size(r->mapped, "mapped,");
	print_size(r->unmapped, "unmapped\n");
	printf("features: %s (%s)\n", lab_features_text(r->features, feat),
	       r->features_from);
	printf("not replayed: %s calls that failed,",
	       lab_count_text(replay_failed(t), a));
	printf(" %s guest faults, %s other events\n", lab_count_text(t->faults, a),
	       lab_count_text(t->ignored, b));
	print_notes(r);
	putchar('\n');
	print_costs(r, 1u << COL_CALLS | 1u << COL_TLBIS | 1u << COL_DSBS);
	putchar('\n');
	lines = replay_total(r->cost).sum.clean_lines ||
		(r->merged && replay_total(r->merged).sum.clean_lines);
	/* Three counters in three ways are too many columns. */
	wide = r->batch_asked && r->merged;
	print_costs(r, 1u << COL_VISITS | 1u << COL_WRITES |
			       (lines && !wide ? 1u << COL_LINES : 0));
	putchar('\n');
	if (lines && wide) {
		print_costs(r, 1u << COL_LINES);
		putchar('\n');
	}
	print_kinds("this", r->cost);
	if (r->batch_asked)
		print_kinds("batch", r->batched->cost);
	if (r->merged)
		print_kinds("6.12", r->merged);
	putchar('\n');
	if (r->batch_asked)
		printf("batch: up to %" PRIu32
		       " unmap calls before a flush; %s flush%s\n",
		       r->batched->batch, lab_count_text(r->batched->flushes, a),
		       r->batched->flushes == 1 ? "" : "es");
	print_findings(r);
	if (r->batched && (r->batch_asked || r->batched->findings))
		print_findings(r->batched);
	if (r->findings)
		return;
	account_print(r->account);
	if (r->advice)
		print_advice(r);
}
