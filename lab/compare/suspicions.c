/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab compare --suspicions: the three suspicions about `posted`, for every rule of
 * counting and freeing, with FWB and without. A suspicion is real if the machine reports
 * a violation about the page or the memory that the suspicion names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "compare.h"
#include "common/options.h"
#include "common/report.h"

#define PAGE_MASK (~UINT64_C(0xfff))
#define GIB (UINT64_C(1) << 30)

struct suspicion {
	const char *name;
	const char *asks;
	/* Whether a violation confirms the suspicion. */
	bool (*is)(const struct posted_story *story, const struct s2m_violation *v);
	/* Explains why there is no such violation. */
	void (*why_not)(const struct posted_story *story, char *buf, size_t size);
};

struct verdict {
	const struct s2m_violation *first; /* NULL: not real */
	char why_not[160];
};

#define SUSPICIONS 3
#define CASES 12
#define SHOWN 3 /* violations printed for each */

struct one_case {
	struct compare_options o;
	struct compare_result r;
	struct verdict v[SUSPICIONS];
};

static bool holder_used(const struct posted_story *story, const struct s2m_violation *v)
{
	return (v->pa & PAGE_MASK) == story->holder;
}

static void holder_kept(const struct posted_story *story, char *buf, size_t size)
{
	snprintf(buf, size,
		 "the count of the table that holds the entry is never less"
		 " than %u",
		 story->holder_least);
}

static bool removed_used(const struct posted_story *story, const struct s2m_violation *v)
{
	return (v->pa & PAGE_MASK) == story->removed;
}

static void removed_kept(const struct posted_story *story, char *buf, size_t size)
{
	snprintf(buf, size,
		 "the walk ends at step %" PRIu64 ", the removed table is freed"
		 " at step %" PRIu64,
		 story->walk_until, story->freed_at);
}

static bool data_lost(const struct posted_story *story, const struct s2m_violation *v)
{
	(void)story;
	return !strcmp(v->rule, "clean-missing");
}

static void data_kept(const struct posted_story *story, char *buf, size_t size)
{
	(void)story;
	snprintf(buf, size,
		 "with FWB the guest cannot write past the caches: no leaf"
		 " needs a clean");
}

static const struct suspicion suspicions[SUSPICIONS] = {
	{ "get-after-put",
	  "The reference is taken back after it was dropped: is the table that holds"
	  " the entry used after its free?",
	  holder_used, holder_kept },
	{ "walk-into-freed",
	  "The walk goes on with the entry that it read before the table was removed:"
	  " does it walk into a freed table?",
	  removed_used, removed_kept },
	{ "missing-clean",
	  "Nothing cleans the memory that the removed table mapped: is data of the"
	  " guest lost?",
	  data_lost, data_kept },
};

static void judge(struct one_case *c)
{
	for (unsigned s = 0; s < SUSPICIONS; s++) {
		struct verdict *v = &c->v[s];

		for (unsigned i = 0; i < c->r.kept && !v->first; i++) {
			if (suspicions[s].is(&c->r.story, &c->r.violation[i]))
				v->first = &c->r.violation[i];
		}
		if (!v->first)
			suspicions[s].why_not(&c->r.story, v->why_not,
					      sizeof(v->why_not));
	}
}

static bool has_fwb(const struct one_case *c)
{
	return c->o.features & S2_FEAT_FWB;
}

/* ---- JSON ---- */

static struct cJSON *steps_json(const struct posted_story *story)
{
	struct cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; i < story->moments; i++) {
		struct cJSON *at = cJSON_CreateObject();

		cJSON_AddNumberToObject(at, "step", (double)story->moment[i].step);
		cJSON_AddStringToObject(at, "text", story->moment[i].text);
		cJSON_AddItemToArray(list, at);
	}
	return list;
}

static struct cJSON *verdict_json(const struct one_case *c, const struct verdict *v)
{
	struct cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "count", posted_counts[c->o.count]);
	cJSON_AddStringToObject(json, "free", posted_frees[c->o.free]);
	cJSON_AddBoolToObject(json, "fwb", has_fwb(c));
	cJSON_AddBoolToObject(json, "real", v->first != NULL);
	if (v->first) {
		cJSON_AddStringToObject(json, "rule", v->first->rule);
		cJSON_AddStringToObject(json, "detail", v->first->detail);
		cJSON_AddNumberToObject(json, "at_step", (double)v->first->step);
	} else {
		cJSON_AddStringToObject(json, "why_not", v->why_not);
	}
	cJSON_AddItemToObject(json, "steps", steps_json(&c->r.story));
	return json;
}

static void report_json(const struct one_case *cases)
{
	struct cJSON *json = cJSON_CreateObject();
	struct cJSON *list;

	cJSON_AddItemToObject(json, "config", compare_config_json(&cases[0].o));
	list = cJSON_AddArrayToObject(json, "suspicions");
	for (unsigned s = 0; s < SUSPICIONS; s++) {
		struct cJSON *one = cJSON_CreateObject();
		struct cJSON *verdicts;

		cJSON_AddStringToObject(one, "name", suspicions[s].name);
		cJSON_AddStringToObject(one, "asks", suspicions[s].asks);
		verdicts = cJSON_AddArrayToObject(one, "cases");
		for (unsigned c = 0; c < CASES; c++)
			cJSON_AddItemToArray(verdicts,
					     verdict_json(&cases[c], &cases[c].v[s]));
		cJSON_AddItemToArray(list, one);
	}
	lab_json_print(json);
}

/* ---- text ---- */

static void table(const struct one_case *cases)
{
	struct lab_table t = { 0 };

	lab_table_column(&t, "count", false);
	lab_table_column(&t, "free", false);
	lab_table_column(&t, "FWB", false);
	for (unsigned s = 0; s < SUSPICIONS; s++)
		lab_table_column(&t, suspicions[s].name, false);
	for (const struct one_case *c = cases; c < cases + CASES; c++) {
		lab_table_text(&t, LAB_PLAIN, "%s", posted_counts[c->o.count]);
		lab_table_text(&t, LAB_PLAIN, "%s", posted_frees[c->o.free]);
		lab_table_text(&t, LAB_PLAIN, "%s", has_fwb(c) ? "yes" : "no");
		for (unsigned s = 0; s < SUSPICIONS; s++)
			lab_table_text(&t, c->v[s].first ? LAB_BAD : LAB_GOOD, "%s",
				       c->v[s].first ? "real" : "cannot happen");
	}
	lab_table_print(&t, stdout, 0);
}

static void print_case(const struct one_case *c)
{
	printf("count %s, free %s, %s FWB", posted_counts[c->o.count],
	       posted_frees[c->o.free], has_fwb(c) ? "with" : "without");
}

/* Prints moments and violations in order, up to the last violation that is shown. */
static void print_real(const struct one_case *c, unsigned s)
{
	const struct posted_story *story = &c->r.story;
	unsigned at = 0, shown = 0;

	printf("  %sReal%s (", lab_style(stdout, LAB_BAD), lab_style(stdout, LAB_PLAIN));
	print_case(c);
	printf("):\n");
	for (unsigned i = 0; i < c->r.kept && shown < SHOWN; i++) {
		const struct s2m_violation *v = &c->r.violation[i];

		if (!suspicions[s].is(story, v))
			continue;
		for (; at < story->moments && story->moment[at].step < v->step; at++)
			printf("    step %-5" PRIu64 " %s\n", story->moment[at].step,
			       story->moment[at].text);
		printf("    step %-5" PRIu64 " %s%s%s\n", v->step,
		       lab_style(stdout, LAB_BOLD), v->rule,
		       lab_style(stdout, LAB_PLAIN));
		lab_wrap(stdout, 15, 79, v->detail);
		shown++;
	}
}

/* Prints the first real case and the first that is not; the table has all cases. */
static void print_suspicion(const struct one_case *cases, unsigned s)
{
	const struct one_case *real = NULL, *not_real = NULL;

	for (const struct one_case *c = cases; c < cases + CASES; c++) {
		if (c->v[s].first && !real)
			real = c;
		if (!c->v[s].first && !not_real)
			not_real = c;
	}
	printf("\n%s%s%s\n", lab_style(stdout, LAB_BOLD), suspicions[s].name,
	       lab_style(stdout, LAB_PLAIN));
	lab_wrap(stdout, 2, 79, suspicions[s].asks);
	if (real)
		print_real(real, s);
	if (not_real) {
		printf("  %sCannot happen%s (", lab_style(stdout, LAB_GOOD),
		       lab_style(stdout, LAB_PLAIN));
		print_case(not_real);
		printf("):\n");
		lab_wrap(stdout, 4, 79, not_real->v[s].why_not);
	}
}

int compare_suspicions(const struct compare_options *o)
{
	static struct one_case cases[CASES];
	int status = LAB_OK;
	unsigned n = 0;

	while (n < CASES && status == LAB_OK) {
		struct one_case *c = &cases[n];

		/*
		 * With four levels the level-1 table that holds the entry is not a
		 * root and can be freed. Nothing else is mapped, so that it has one
		 * entry.
		 */
		c->o = *o;
		c->o.ipa = GIB;
		c->o.mem = GIB;
		c->o.leaf = (struct lab_leaf){ UINT64_C(2) << 20, 12, 2, false };
		c->o.ipa_bits = 48;
		c->o.max_violations = 4096;
		c->o.count = n / 6 ? COUNT_BARE : COUNT_LINUX;
		c->o.free = (enum posted_free)(n / 2 % 3);
		c->o.features = n % 2 ? o->features & ~S2_FEAT_FWB :
					o->features | S2_FEAT_FWB;
		status = compare_run(&c->o, &strategy_posted, &c->r);
		n += status == LAB_OK;
		if (status == LAB_OK)
			judge(c);
	}
	if (status == LAB_OK && o->json) {
		report_json(cases);
	} else if (status == LAB_OK) {
		printf("posted: 1 GiB of 2 MiB leaves at 0x40000000, the only entry of"
		       " its level-1 table\n(IPA size 48 bits), seed %" PRIu64 "\n\n",
		       o->seed);
		table(cases);
		for (unsigned s = 0; s < SUSPICIONS; s++)
			print_suspicion(cases, s);
	}
	while (n)
		compare_result_free(&cases[--n].r);
	return status;
}
