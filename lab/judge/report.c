/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* s2lab judge: what is printed of one trace. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/report.h"
#include "report.h"

static const char *const verdicts[] = { "ok", "bad", "unjudged", "malformed" };

/* What the judge has assumed, or left out; called with 0, 1, ... NULL: no more. */
static const char *note(const struct judge *j, unsigned i, char *buf, size_t n)
{
	const struct {
		bool is;
		const char *fmt;
		uint64_t number;
	} notes[] = {
		{ j->fixed_vtcr,
		  "VTCR_EL2 is read as %#" PRIx64
		  ": a start level and a PA size that fit",
		  j->vtcr },
		{ j->el2, "%" PRIu64 " records of EL2's own stage 1 are not judged",
		  j->el2 },
		{ j->apart && !j->own,
		  "%" PRIu64 " pages that are written are in no tree, and not judged",
		  j->apart },
		{ j->rd.repeated, "%" PRIu64 " records repeat the one before",
		  j->rd.repeated },
		{ j->rd.prose, "%" PRIu64 " lines are no records", j->rd.prose },
	};

	for (unsigned k = 0; k < sizeof(notes) / sizeof(notes[0]); k++) {
		if (!notes[k].is || i--)
			continue;
		snprintf(buf, n, notes[k].fmt, notes[k].number);
		return buf;
	}
	return NULL;
}

static void why(const struct judge *j)
{
	char buf[128];
	const char *text;

	for (size_t i = 0; i < j->findings; i++) {
		const struct judge_finding *f = &j->finding[i];

		printf("  %s: %s\n    record %" PRIu64 ", line %" PRIu64 "%s%s%s: %s\n",
		       f->rule, judge_rule_says(f->rule), f->record, f->line,
		       f->src[0] ? " (" : "", f->src, f->src[0] ? ")" : "", f->sentence);
	}
	if (j->found > j->findings)
		printf("  %" PRIu64 " more are not kept\n", j->found - j->findings);
	for (unsigned i = 0; (text = note(j, i, buf, sizeof(buf))); i++)
		printf("  %s\n", text);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void judge_print(const struct judge *j, const char *path, enum judge_verdict v)
{
	const struct judge_finding *f = &j->finding[0];
	char buf[128];
	const char *text;

	if (v == JUDGE_MALFORMED) {
		fflush(stdout);
		if (j->error.line)
			fprintf(stderr, "%s:%" PRIu64 ":%u: %s\n", path, j->error.line,
				j->error.column, j->error.what);
		else
			fprintf(stderr, "s2lab judge: %s: %s\n", path, j->error.what);
		return;
	}
	printf("%s: %s%s%s", path, lab_style(stdout, v == JUDGE_OK ? LAB_GOOD : LAB_BAD),
	       verdicts[v], lab_style(stdout, LAB_PLAIN));
	if (v == JUDGE_BAD) {
		printf(" %s@%" PRIu64 " %s", f->rule, f->record, f->sentence);
		printf(f->src[0] ? " (%s)" : " (line %s%" PRIu64 ")", f->src, f->line);
		if (j->found > 1)
			printf(" and %" PRIu64 " more", j->found - 1);
	} else if (v == JUDGE_UNJUDGED) {
		printf(" %s", j->reason);
	} else {
		printf(" (%" PRIu64 " records, %u tree%s, %" PRIu64
		       " change%s of live entries, %" PRIu64 " TLBI%s",
		       j->records, s2m_trees(j->m), plural(s2m_trees(j->m)),
		       s2m_live_stores(j->m), plural(s2m_live_stores(j->m)), j->tlbis,
		       plural(j->tlbis));
		for (unsigned i = 0; (text = note(j, i, buf, sizeof(buf))); i++)
			printf("; %s", text);
		printf(")");
	}
	printf("\n");
	if (j->opt->why)
		why(j);
}

static cJSON *number(uint64_t n)
{
	char buf[24];

	/* A double has 53 bits. */
	snprintf(buf, sizeof(buf), "%" PRIu64, n);
	return cJSON_CreateRaw(buf);
}

static cJSON *finding_json(const struct judge_finding *f)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "rule", f->rule);
	cJSON_AddStringToObject(o, "rule_says", judge_rule_says(f->rule));
	cJSON_AddItemToObject(o, "record", number(f->record));
	cJSON_AddItemToObject(o, "line", number(f->line));
	if (f->cause != UINT64_MAX)
		cJSON_AddItemToObject(o, "cause", number(f->cause));
	cJSON_AddStringToObject(o, "src", f->src);
	cJSON_AddItemToObject(o, "ipa", number(f->ipa));
	cJSON_AddItemToObject(o, "pa", number(f->pa));
	cJSON_AddStringToObject(o, "sentence", f->sentence);
	return o;
}

struct cJSON *judge_json(const struct judge *j, const char *path, enum judge_verdict v)
{
	cJSON *o = cJSON_CreateObject(), *list;
	char buf[128];
	const char *text;

	cJSON_AddStringToObject(o, "file", path);
	cJSON_AddStringToObject(o, "verdict", verdicts[v]);
	cJSON_AddItemToObject(o, "records", number(j->records));
	cJSON_AddItemToObject(o, "trees", number(j->m ? s2m_trees(j->m) : 0));
	cJSON_AddItemToObject(o, "stores", number(j->stores));
	cJSON_AddItemToObject(o, "live_stores", number(j->m ? s2m_live_stores(j->m) : 0));
	cJSON_AddItemToObject(o, "tlbis", number(j->tlbis));
	cJSON_AddItemToObject(o, "found", number(j->found));
	list = cJSON_AddArrayToObject(o, "findings");
	for (size_t i = 0; i < j->findings; i++)
		cJSON_AddItemToArray(list, finding_json(&j->finding[i]));
	if (v == JUDGE_UNJUDGED)
		cJSON_AddStringToObject(o, "reason", j->reason);
	if (v == JUDGE_MALFORMED) {
		cJSON_AddItemToObject(o, "line", number(j->error.line));
		cJSON_AddItemToObject(o, "column", number(j->error.column));
		cJSON_AddStringToObject(o, "reason", j->error.what);
	}
	list = cJSON_AddArrayToObject(o, "notes");
	for (unsigned i = 0; (text = note(j, i, buf, sizeof(buf))); i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	return o;
}
