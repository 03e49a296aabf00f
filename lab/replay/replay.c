// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * s2lab replay: the command line. The engine does the operations of a recording on the
 * machine model, which judges them; the tables are compared with a flat map. See
 * docs/replay.md.
 */
#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "common/options.h"
#include "run.h"

#define BATCH_MAX 65536u

static const char usage[] =
	"usage: s2lab replay FILE|- [OPTIONS]\n"
	"\n"
	"Does every page-table operation of a recording of KVM (ftrace text, plain or xz;\n"
	"\"-\" is standard input) with the engine, on the machine model, and says what was\n"
	"done, what it cost, and what the same costs as Linux 6.12 does it.\n"
	"\n"
	"  --features LIST  of the CPU: fwb, tlbirange, ttl, bbm1, bbm2, lpa2, hafdbs,\n"
	"                   xnx, ets2, or none (none if the recording has s2_flush, which\n"
	"                   KVM issues without FWB only; else fwb,tlbirange)\n"
	"  --batch N        once more, with up to N unmap calls gathered in a batch, which\n"
	"                   pay for one invalidation together; both are shown\n"
	"  --no-merged      without the comparison with Linux 6.12\n"
	"  --seed N         order in which table pages are handed out; 0: by address (1)\n"
	"  --ipa-bits N     IPA size of every VM, at least (as recorded)\n"
	"  --trace-out FILE write every event as a trace for s2lab judge;\n"
	"                   --trace-for casemate: as far as Casemate reads it\n"
	"  --quiet          print nothing if all is well\n"
	"  --json           print an object\n"
	"\n"
	"Exit status 1 if a rule of the machine was violated or the tables are not what\n"
	"the recording says, 2 if the recording is not well formed (FILE:LINE:COLUMN).\n";

/* KVM cleans stage 2 (s2_flush) only on CPUs without FWB. */
static void default_features(struct replay *r)
{
	r->out.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE;
	r->out.features_from = "the default";
	for (size_t i = 0; i < r->t.events; i++) {
		if (r->t.event[i].op == TRACE_FLUSH) {
			r->out.features = 0;
			r->out.features_from = "the recording has s2_flush";
			return;
		}
	}
}

enum {
	O_FEATURES = 1,
	O_BATCH,
	O_NO_MERGED,
	O_SEED,
	O_IPA_BITS,
	O_TRACE_OUT,
	O_TRACE_FOR,
	O_QUIET,
	O_JSON
};

static const struct option options[] = {
	{ "features", required_argument, NULL, O_FEATURES },
	{ "batch", required_argument, NULL, O_BATCH },
	{ "no-merged", no_argument, NULL, O_NO_MERGED },
	{ "seed", required_argument, NULL, O_SEED },
	{ "ipa-bits", required_argument, NULL, O_IPA_BITS },
	{ "trace-out", required_argument, NULL, O_TRACE_OUT },
	{ "trace-for", required_argument, NULL, O_TRACE_FOR },
	{ "quiet", no_argument, NULL, O_QUIET },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int cmd_replay(int argc, char **argv)
{
	struct replay r = { .seed = 1 }, batched;
	struct trace_option trace = { 0 };
	uint64_t batch = 0, bits;
	bool merged = true, quiet = false, json = false, failed;
	int id, status;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (id) {
		case 'h':
			fputs(usage, stdout);
			return LAB_OK;
		case O_FEATURES:
			if (!lab_parse_features("--features", optarg, &r.out.features))
				return LAB_USAGE;
			r.out.features_from = "asked for";
			break;
		case O_BATCH:
			if (!lab_parse_number("--batch", optarg, 1, BATCH_MAX, &batch))
				return LAB_USAGE;
			break;
		case O_NO_MERGED:
			merged = false;
			break;
		case O_SEED:
			if (!lab_parse_number("--seed", optarg, 0, UINT64_MAX, &r.seed))
				return LAB_USAGE;
			break;
		case O_IPA_BITS:
			if (!lab_parse_number("--ipa-bits", optarg, 32, 52, &bits))
				return LAB_USAGE;
			r.ipa_bits = (unsigned)bits;
			break;
		case O_TRACE_OUT:
			trace.path = optarg;
			break;
		case O_TRACE_FOR:
			id = lab_parse_name("--trace-for", "format", optarg,
					    trace_out_formats);
			if (id < 0)
				return LAB_USAGE;
			trace.format = (enum trace_out_format)id;
			break;
		case O_QUIET:
			quiet = true;
			break;
		case O_JSON:
			json = true;
			break;
		default:
			fputs("Try 's2lab replay --help'.\n", stderr);
			return LAB_USAGE;
		}
	}
	if (optind + 1 != argc)
		return lab_usage(optind == argc ? "which recording?" :
						  "one recording at a time");
	if (trace.path && batch)
		return lab_usage("--trace-out is of one run, without --batch");
	if (!trace_read(&r.t, argv[optind]))
		return LAB_USAGE;
	r.trace = trace_option_open(&trace, &failed);
	r.few_pes = trace.format == TRACE_FOR_CASEMATE;
	if (failed) {
		trace_free(&r.t);
		return LAB_USAGE;
	}
	if (!r.out.features_from)
		default_features(&r);
	batched = (struct replay){
		.t = r.t, .seed = r.seed, .out = r.out, .ipa_bits = r.ipa_bits
	};
	status = replay_setup(&r, merged) ? replay_all(&r) : LAB_USAGE;
	if (!trace_option_close(&trace, r.trace))
		status = LAB_USAGE;
	if (status == LAB_OK && batch) {
		batched.out.batch = (uint32_t)batch;
		status = replay_setup(&batched, false) ? replay_all(&batched) : LAB_USAGE;
		r.out.batched = &batched.out;
	}
	if (status != LAB_USAGE && json)
		replay_print_json(&r.out);
	else if (status == LAB_VIOLATION || (status == LAB_OK && !quiet))
		replay_print(&r.out);
	replay_teardown(&batched);
	replay_teardown(&r);
	trace_free(&r.t);
	return status;
}
