/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab compare: its results as a table or as JSON. */
#define _DEFAULT_SOURCE

#include <inttypes.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "compare.h"
#include "common/cost_report.h"
#include "common/options.h"
#include "common/report.h"

/* ---- JSON ---- */

static void number(struct cJSON *to, const char *name, uint64_t n)
{
	cJSON_AddNumberToObject(to, name, (double)n);
}

struct cJSON *compare_config_json(const struct compare_options *o)
{
	struct cJSON *json = cJSON_CreateObject();
	uint64_t start, end, frames;
	char names[LAB_FEATURES_LEN];
	struct cJSON *list;

	compare_mapped(o, &start, &end, &frames);
	cJSON_AddStringToObject(json, "op", compare_ops[o->op]);
	number(json, "ipa", o->ipa);
	number(json, "mem", o->mem);
	number(json, "leaf", o->leaf.size);
	if (o->op == LAB_COLLAPSE)
		number(json, "to", o->to.size);
	number(json, "granule", UINT64_C(1) << o->leaf.page_shift);
	number(json, "mapped_ipa", o->empty ? o->ipa : start);
	number(json, "mapped_mem", o->empty ? 0 : end - start);
	number(json, "ipa_bits", compare_ipa_bits(o));
	number(json, "pa_bits", compare_pa_bits(o));
	list = cJSON_AddArrayToObject(json, "features");
	lab_features_text(o->features, names);
	for (char *rest = names, *name; (name = strsep(&rest, ","));) {
		if (o->features)
			cJSON_AddItemToArray(list, cJSON_CreateString(name));
	}
	number(json, "call_size", o->call ? o->call : o->mem);
	number(json, "budget", o->budget);
	cJSON_AddStringToObject(json, "posted_count", posted_counts[o->count]);
	cJSON_AddStringToObject(json, "posted_free", posted_frees[o->free]);
	number(json, "seed", o->seed);
	return json;
}

static struct cJSON *violations_json(const struct compare_result *r)
{
	struct cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < r->kept; i++) {
		struct cJSON *v = cJSON_CreateObject();

		cJSON_AddStringToObject(v, "rule", r->violation[i].rule);
		cJSON_AddStringToObject(v, "detail", r->violation[i].detail);
		number(v, "step", r->violation[i].step);
		cJSON_AddItemToArray(list, v);
	}
	return list;
}

static struct cJSON *result_json(const struct compare_options *o,
				 const struct compare_result *r)
{
	struct cJSON *json = cJSON_CreateObject();
	struct cJSON *tlbi;

	cJSON_AddStringToObject(json, "name", r->strategy->name);
	cJSON_AddStringToObject(json, "verdict", r->violations ? "unsafe" : "safe");
	cJSON_AddItemToObject(json, "violations", violations_json(r));
	number(json, "violations_found", r->violations);
	number(json, "pte_reads", r->n.pte_reads);
	number(json, "pte_writes", r->n.pte_writes);
	tlbi = cJSON_AddObjectToObject(json, "tlbi");
	number(tlbi, "ipas2e1is", r->n.tlbi[S2M_IPAS2E1IS]);
	number(tlbi, "ripas2e1is", r->n.tlbi[S2M_RIPAS2E1IS]);
	number(tlbi, "vmalle1is", r->n.tlbi[S2M_VMALLE1IS]);
	number(tlbi, "vmalls12e1is", r->n.tlbi[S2M_VMALLS12E1IS]);
	number(json, "dsb", r->n.dsb);
	number(json, "isb", r->n.isb);
	number(json, "clean_lines", r->n.clean_lines);
	number(json, "tables_taken", r->n.tables_taken);
	number(json, "tables_freed", r->n.tables_given);
	number(json, "longest_step", r->longest_step);
	number(json, "calls", r->calls);
	number(json, "tables_left", r->tables_left);
	if (o->op != LAB_UNMAP)
		number(json, "leaves", r->leaves);
	if (o->cpu) {
		uint64_t times[COST_PARTS];

		cost_occurrences(&r->n, times);
		cJSON_AddItemToObject(json, "estimate",
				      cost_estimate_json(o->cpu, times));
	}
	return json;
}

static void report_json(const struct compare_options *o, const struct compare_result *r,
			unsigned n)
{
	struct cJSON *json = cJSON_CreateObject();
	struct cJSON *config = compare_config_json(o);
	struct cJSON *list;

	number(config, "root_tables", n ? r[0].root_pages : 0);
	cJSON_AddItemToObject(json, "config", config);
	if (o->cpu)
		cJSON_AddItemToObject(json, "cpu", cost_json(o->cpu));
	list = cJSON_AddArrayToObject(json, "strategies");
	for (unsigned i = 0; i < n; i++)
		cJSON_AddItemToArray(list, result_json(o, &r[i]));
	lab_json_print(json);
}

/* ---- a table ---- */

static void title(const struct compare_options *o, uint64_t roots)
{
	char mem[LAB_SIZE_LEN], leaf[LAB_SIZE_LEN], call[LAB_SIZE_LEN];
	char names[LAB_FEATURES_LEN];
	uint64_t start, end, frames;

	compare_mapped(o, &start, &end, &frames);
	printf("%s%s at 0x%" PRIx64 ", ", lab_style(stdout, LAB_BOLD),
	       lab_size_text(o->mem, mem), o->ipa);
	if (o->empty)
		printf("nothing mapped");
	else
		printf("mapped by leaves of %s", lab_size_text(o->leaf.size, leaf));
	printf(", features %s%s\n", lab_features_text(o->features, names),
	       lab_style(stdout, LAB_PLAIN));
	if (!o->empty && end - start != o->mem)
		printf("In all, %s are mapped from 0x%" PRIx64 " on.\n",
		       lab_size_text(end - start, mem), start);
	if (o->op == LAB_SPLIT)
		puts("Its blocks are split into pages.");
	if (o->op == LAB_COLLAPSE)
		printf("Its tables are collapsed into blocks of %s.\n",
		       lab_size_text(o->to.size, leaf));
	if (o->call && o->call < o->mem)
		printf("In calls of %s.\n", lab_size_text(o->call, call));
	if (o->budget)
		printf("stage2 visits at most %" PRIu32 " entries in a step.\n",
		       o->budget);
	printf("Granule %u KiB, IPA size %u bits, PA size %u, %" PRIu64
	       " root table%s, seed %" PRIu64 ".\n\n",
	       1u << (o->leaf.page_shift - 10), compare_ipa_bits(o), compare_pa_bits(o),
	       roots, roots == 1 ? "" : "s", o->seed);
}

static void row(struct lab_table *t, const char *label, const struct compare_result *r,
		unsigned n, size_t offset)
{
	lab_table_text(t, LAB_PLAIN, "%s", label);
	for (unsigned i = 0; i < n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)&r[i] + offset, sizeof(value));
		lab_table_count(t, value);
	}
}

#define ROW(label, field) row(&t, label, r, n, offsetof(struct compare_result, field))

static void table(const struct compare_options *o, const struct compare_result *r,
		  unsigned n)
{
	struct lab_table t = { 0 };

	lab_table_column(&t, "", false);
	for (unsigned i = 0; i < n; i++)
		lab_table_column(&t, r[i].strategy->name, true);
	lab_table_text(&t, LAB_PLAIN, "verdict");
	for (unsigned i = 0; i < n; i++)
		lab_table_text(&t, r[i].violations ? LAB_BAD : LAB_GOOD,
			       r[i].violations ? "unsafe" : "safe");
	ROW("entries visited", n.pte_reads);
	ROW("entries written", n.pte_writes);
	ROW("TLBI IPAS2E1IS", n.tlbi[S2M_IPAS2E1IS]);
	ROW("TLBI RIPAS2E1IS", n.tlbi[S2M_RIPAS2E1IS]);
	ROW("TLBI VMALLE1IS", n.tlbi[S2M_VMALLE1IS]);
	ROW("TLBI VMALLS12E1IS", n.tlbi[S2M_VMALLS12E1IS]);
	ROW("DSB", n.dsb);
	ROW("ISB", n.isb);
	ROW("lines cleaned", n.clean_lines);
	if (o->op == LAB_SPLIT)
		ROW("tables taken", n.tables_taken);
	else
		ROW("tables freed", n.tables_given);
	ROW("tables left", tables_left);
	if (o->op != LAB_UNMAP)
		ROW("leaves", leaves);
	ROW("longest step", longest_step);
	if (o->call && o->call < o->mem)
		ROW("calls", calls);
	lab_table_print(&t, stdout, 0);
}

static void estimate(const struct cost_profile *cpu, const struct compare_result *r,
		     unsigned n)
{
	uint64_t times[LAB_STRATEGIES][COST_PARTS];
	const char *names[LAB_STRATEGIES];

	for (unsigned i = 0; i < n; i++) {
		names[i] = r[i].strategy->name;
		cost_occurrences(&r[i].n, times[i]);
	}
	cost_print(cpu, names, times, n);
}

/* Prints the number of violations, and the first violation of each rule. */
static void convicted(const struct compare_result *r)
{
	char count[LAB_COUNT_LEN];

	printf("\n%s%s is unsafe%s: %s violation%s\n", lab_style(stdout, LAB_BAD),
	       r->strategy->name, lab_style(stdout, LAB_PLAIN),
	       lab_count_text(r->violations, count), r->violations == 1 ? "" : "s");
	for (unsigned i = 0; i < r->kept; i++) {
		bool first = true;

		for (unsigned j = 0; j < i; j++)
			first &= strcmp(r->violation[i].rule, r->violation[j].rule) != 0;
		if (!first)
			continue;
		printf("  %s%s%s\n", lab_style(stdout, LAB_BOLD), r->violation[i].rule,
		       lab_style(stdout, LAB_PLAIN));
		lab_wrap(stdout, 4, 79, r->violation[i].detail);
	}
}

bool compare_report(const struct compare_options *o, const struct compare_result *r,
		    unsigned n)
{
	bool unsafe = false;

	for (unsigned i = 0; i < n; i++)
		unsafe |= r[i].violations && r[i].strategy->must_be_safe;
	if (o->json) {
		report_json(o, r, n);
		return unsafe;
	}
	title(o, n ? r[0].root_pages : 0);
	table(o, r, n);
	if (o->cpu)
		estimate(o->cpu, r, n);
	for (unsigned i = 0; i < n; i++) {
		if (r[i].violations)
			convicted(&r[i]);
	}
	return unsafe;
}
