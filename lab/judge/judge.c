/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab judge: the command line. Event traces of other programs, in Casemate's format,
 * and of s2lab are replayed on the machine model. See docs/judge.md.
 */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "common/lab.h"
#include "common/options.h"
#include "common/report.h"
#include "report.h"

static const char usage[] =
	"usage: s2lab judge FILE... [OPTIONS]\n"
	"\n"
	"Reads traces of table writes, barriers and TLBIs, in Casemate's format or those of\n"
	"--trace-out, plain or packed by xz, gzip or zstd (\"-\" is standard input), replays\n"
	"each on the machine model, and prints a line: ok; bad RULE@RECORD and a sentence;\n"
	"or unjudged and why.\n"
	"\n"
	"  --why            then every finding, with what its rule says\n"
	"  --json           print an object\n"
	"  --locks          stores to a live table need the lock of its tree\n"
	"  --strict         for traces of real software that leave nothing out: registers\n"
	"                   are as written, an ISB has to follow, mem-init is stores\n"
	"  --no-claims      judge no promises: neither claim records, nor at the end of a\n"
	"                   trace that nothing which was broken is still held\n"
	"  --named          a tree is run by the threads that have loaded it, or have\n"
	"                   entered its guest; otherwise by every thread\n"
	"  --af             take the access flag of every leaf as set\n"
	"  --cleans         judge cache maintenance, which most traces leave out\n"
	"  --features LIST  of the CPU: fwb, tlbirange, ttl, bbm1, bbm2, lpa2, hafdbs,\n"
	"                   xnx, ets2, or none (fwb,tlbirange,ttl,hafdbs,xnx, and ets2\n"
	"                   without --strict)\n"
	"  --steps          print the machine's events, before the line\n"
	"\n"
	"Exit status 0 if all are ok, 1 if one is bad, 2 if one cannot be judged or is not\n"
	"well formed (FILE:LINE:COLUMN).\n";

enum {
	O_WHY = 256,
	O_JSON,
	O_LOCKS,
	O_STRICT,
	O_NO_CLAIMS,
	O_NAMED,
	O_AF,
	O_CLEANS,
	O_FEATURES,
	O_STEPS
};

static const struct option options[] = {
	{ "why", no_argument, NULL, O_WHY },
	{ "json", no_argument, NULL, O_JSON },
	{ "locks", no_argument, NULL, O_LOCKS },
	{ "strict", no_argument, NULL, O_STRICT },
	{ "no-claims", no_argument, NULL, O_NO_CLAIMS },
	{ "named", no_argument, NULL, O_NAMED },
	{ "af", no_argument, NULL, O_AF },
	{ "cleans", no_argument, NULL, O_CLEANS },
	{ "features", required_argument, NULL, O_FEATURES },
	{ "steps", no_argument, NULL, O_STEPS },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static bool parse_option(int id, struct judge_options *o, bool *steps)
{
	uint32_t features;

	switch (id) {
	case O_WHY:
		return o->why = true;
	case O_JSON:
		return o->json = true;
	case O_LOCKS:
		return o->locks = true;
	case O_STRICT:
		return o->strict = true;
	case O_NO_CLAIMS:
		return o->no_claims = true;
	case O_NAMED:
		return o->named = true;
	case O_AF:
		return o->af = true;
	case O_CLEANS:
		return o->cleans = true;
	case O_STEPS:
		return *steps = true;
	case O_FEATURES:
		if (!lab_parse_features("--features", optarg, &features))
			return false;
		o->features = lab_machine_features(features, 0);
		return o->has_features = true;
	default:
		fputs("Try 's2lab judge --help'.\n", stderr);
		return false;
	}
}

int cmd_judge(int argc, char **argv)
{
	struct judge_options o = { 0 };
	struct judge *j;
	bool seen[JUDGE_MALFORMED + 1] = { false }, steps = false;
	cJSON *json = NULL, *files = NULL;
	int id;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'h') {
			fputs(usage, stdout);
			return LAB_OK;
		}
		if (!parse_option(id, &o, &steps))
			return LAB_USAGE;
	}
	if (optind == argc)
		return lab_usage("which traces?");
	if (o.json && (steps || o.why))
		return lab_usage("--json and --%s exclude each other",
				 steps ? "steps" : "why");
	j = malloc(sizeof(*j));
	if (!j)
		return lab_usage("out of memory");
	if (o.json) {
		json = cJSON_CreateObject();
		cJSON_AddNumberToObject(json, "format", JUDGE_FORMAT);
		files = cJSON_AddArrayToObject(json, "files");
	}
	for (int i = optind; i < argc; i++) {
		enum judge_verdict v = judge_file(j, &o, argv[i], steps ? stdout : NULL);

		seen[v] = true;
		if (o.json)
			cJSON_AddItemToArray(files, judge_json(j, argv[i], v));
		else
			judge_print(j, argv[i], v);
		judge_free(j);
	}
	free(j);
	if (o.json)
		lab_json_print(json);
	return seen[JUDGE_MALFORMED] ? LAB_USAGE :
	       seen[JUDGE_BAD]	     ? LAB_VIOLATION :
	       seen[JUDGE_UNJUDGED]  ? LAB_USAGE :
				       LAB_OK;
}
