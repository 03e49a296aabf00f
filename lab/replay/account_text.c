/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cost of each call, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_text.h"
#include "common/cost_report.h"
#include "common/options.h"
#include "common/report.h"

#define GROUPS_MOST 12u /* rows of a table; --json has all */
#define NAME_MOST 24

static const char *const heads[WAYS] = { "this", "6.12" };

static void title(const char *text, const char *what)
{
	printf("\n%s%s%s%s\n", lab_style(stdout, LAB_BOLD), text, what,
	       lab_style(stdout, LAB_PLAIN));
}

/* The unit of the measure by which calls are ranked. */
static const char *unit(const struct account *a)
{
	return a->cpu ? a->cpu->unit : "entries visited";
}

/* A value of that measure. */
static void add_value(struct lab_table *t, const struct account *a, uint64_t n)
{
	char buf[LAB_COUNT_LEN];

	if (a->cpu)
		lab_table_text(t, LAB_PLAIN, "%s", cost_text((double)n / 1000, buf));
	else
		lab_table_count(t, n);
}

static void print_percentiles(const struct account *a)
{
	static const unsigned percent[] = { 50, 99, 100 };
	struct lab_table t = { 0 };

	title("One call, in ", unit(a));
	lab_table_column(&t, "operation", false);
	lab_table_column(&t, "calls", true);
	for (unsigned w = 0; w < a->ways; w++) {
		lab_table_column(&t, w ? "6.12 p50" : "p50", true);
		lab_table_column(&t, "p99", true);
		lab_table_column(&t, "max", true);
	}
	for (unsigned op = 0; op <= TRACE_OPS; op++) {
		if (!a->op[WAY_STAGE2][op][VISITS].n)
			continue;
		lab_table_text(&t, LAB_PLAIN, "%s",
			       op < TRACE_OPS ? trace_op_names[op] : "all");
		lab_table_count(&t, a->op[WAY_STAGE2][op][VISITS].n);
		for (unsigned w = 0; w < a->ways; w++)
			for (unsigned i = 0; i < 3; i++)
				add_value(&t, a,
					  tally_percentile(&a->op[w][op][a->rank],
							   percent[i]));
	}
	lab_table_print(&t, stdout, 2);
}

static void print_worst(const struct account *a)
{
	const unsigned way = a->ways - 1;
	struct lab_table t = { 0 };
	char size[LAB_SIZE_LEN];

	if (!a->worsts[way])
		return;
	title("The dearest calls", way ? " (as Linux 6.12 does them)" : "");
	lab_table_column(&t, "line", true);
	lab_table_column(&t, "second", true);
	lab_table_column(&t, "operation", false);
	lab_table_column(&t, "IPA", true);
	lab_table_column(&t, "size", true);
	lab_table_column(&t, "VM", true);
	lab_table_column(&t, "task", false);
	for (unsigned w = 0; w < a->ways; w++)
		lab_table_column(&t, heads[w], true);
	for (unsigned i = 0; i < a->worsts[way]; i++) {
		const struct account_call *c = &a->worst[way][i];
		const uint64_t ns = a->t->start + c->ev.time;

		lab_table_text(&t, LAB_PLAIN, "%" PRIu32, c->ev.line);
		lab_table_text(&t, LAB_PLAIN, "%" PRIu64 ".%06u", ns / 1000000000,
			       (unsigned)(ns % 1000000000 / 1000));
		lab_table_text(&t, LAB_PLAIN, "%s", trace_op_names[c->ev.op]);
		lab_table_text(&t, LAB_PLAIN, "0x%" PRIx64, c->ev.addr);
		lab_table_text(&t, LAB_PLAIN, "%s",
			       c->ev.size ? lab_size_text(c->ev.size, size) : "all");
		lab_table_text(&t, LAB_PLAIN, "%" PRIu32, c->ev.vm);
		lab_table_text(&t, LAB_PLAIN, "%.*s", NAME_MOST,
			       c->ev.task == ACCOUNT_NO_TASK ?
				       "" :
				       a->t->task_name[a->t->task[c->ev.task].name]);
		for (unsigned w = 0; w < a->ways; w++)
			add_value(&t, a, c->cost[w].n[a->rank]);
	}
	lab_table_print(&t, stdout, 2);
}

/* ---- groups ---- */

/* TLBIs, DSBs and the measure, by each way; and the dearest call. */
static void group_columns(struct lab_table *t, const struct account *a, const char *head)
{
	static const char *const counts[] = { "TLBIs", "DSBs" };

	lab_table_column(t, head, false);
	lab_table_column(t, "calls", true);
	for (unsigned m = 0; m < 2; m++)
		for (unsigned w = 0; w < a->ways; w++)
			lab_table_column(t, w ? heads[w] : counts[m], true);
	for (unsigned w = 0; w < a->ways; w++)
		lab_table_column(t,
				 w	? heads[w] :
				 a->cpu ? a->cpu->unit :
					  "visits",
				 true);
	lab_table_column(t, "p99", true);
	lab_table_column(t, "max", true);
}

static void group_row(struct lab_table *t, const struct account *a, const char *name,
		      const struct account_group *g)
{
	static const unsigned counts[] = { TLBIS, DSBS };
	const struct tally *main = &g->main[a->ways - 1];

	lab_table_text(t, LAB_PLAIN, "%.*s", NAME_MOST, name);
	lab_table_count(t, g->calls);
	for (unsigned m = 0; m < 2; m++)
		for (unsigned w = 0; w < a->ways; w++)
			lab_table_count(t, g->sum[w].n[counts[m]]);
	for (unsigned w = 0; w < a->ways; w++)
		add_value(t, a, g->sum[w].n[a->rank]);
	add_value(t, a, tally_percentile(main, 99));
	add_value(t, a, tally_percentile(main, 100));
}

static const char *vm_name(const struct account *a, uint32_t i, char *buf, size_t n)
{
	snprintf(buf, n, "%" PRIu32 " (line %" PRIu32 ")", i, a->t->vm[i].init_line);
	return buf;
}

static const char *task_name(const struct account *a, uint32_t i, char *buf, size_t n)
{
	snprintf(buf, n, "%s", a->t->task_name[i]);
	return buf;
}

static const char *phase_name(const struct account *a, uint32_t i, char *buf, size_t n)
{
	snprintf(buf, n, "%s", i ? a->phase[i].text : "(before the first mark)");
	return buf;
}

/* The first of @order, which has @n. */
static void
print_groups(const struct account *a, const char *what, const struct account_group *g,
	     const uint32_t *order, size_t n, size_t most,
	     const char *(*name)(const struct account *, uint32_t, char *, size_t))
{
	struct lab_table t = { 0 };
	char buf[128];

	title("By ", what);
	group_columns(&t, a, what);
	for (size_t i = 0; i < n && i < most; i++)
		group_row(&t, a, name(a, order[i], buf, sizeof(buf)), &g[order[i]]);
	lab_table_print(&t, stdout, 2);
	if (n > most)
		printf("  and %zu more (--json has all)\n", n - most);
}

static void print_each_group(const struct account *a)
{
	uint32_t *order;
	size_t n, vms = 0;

	for (size_t i = 0; i < a->t->vms; i++)
		vms += a->t->vm[i].maps > 0;
	order = account_order(a, a->vm, a->t->vms, &n);
	if (order && vms > 1)
		print_groups(a, "VM", a->vm, order, n, GROUPS_MOST, vm_name);
	free(order);
	order = account_order(a, a->name, a->t->task_names, &n);
	if (order && n > 1)
		print_groups(a, "task", a->name, order, n, GROUPS_MOST, task_name);
	free(order);
	order = malloc(a->phases * sizeof(*order));
	n = 0;
	for (uint32_t i = 0; order && i < a->phases; i++)
		if (a->group[i].calls)
			order[n++] = i;
	if (order && a->phases > 1)
		print_groups(a, "phase", a->group, order, n, 3 * GROUPS_MOST, phase_name);
	free(order);
}

void account_print(const struct account *a)
{
	print_percentiles(a);
	print_worst(a);
	print_each_group(a);
	if (a->cpu)
		cost_print(a->cpu, heads, a->times, a->ways);
}
