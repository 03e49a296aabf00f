// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * s2lab replay: the command line. The engine does the operations of a recording on the
 * machine model, which judges them; the tables are compared with a flat map. See
 * docs/replay.md.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands.h"
#include "common/options.h"
#include "common/report.h"
#include "run.h"

#define BATCH_MAX 65536u
#define WORST_MAX 1000u
/* What advice assumes. */
#define ADVICE_BATCH 64u

static const char usage[] =
	"usage: s2lab replay FILE|- [OPTIONS]\n"
	"\n"
	"Does every page-table operation of a recording of KVM with the engine, on the\n"
	"machine model, and says what was done, what each call cost, what the same costs\n"
	"as Linux 6.12 does it, and what would make it cheaper. FILE is the text of\n"
	"ftrace, trace-cmd report, perf script or bpftrace, plain or packed by xz, gzip or\n"
	"zstd; \"-\" is standard input. ports/linux/record.sh makes one.\n"
	"\n"
	"  --features LIST  of the CPU: fwb, tlbirange, ttl, bbm1, bbm2, lpa2, hafdbs,\n"
	"                   xnx, ets2, or none (none if the recording has s2_flush, which\n"
	"                   KVM issues without FWB only; else fwb,tlbirange; lpa2 too if a\n"
	"                   VM needs more than 48 bits)\n"
	"  --cpu PROFILE    estimate times, for a CPU or from a file (s2lab compare --help)\n"
	"  --worst N        list the N dearest calls (5)\n"
	"  --vm N|PGT       replay only this VM, by its number or its pgt\n"
	"  --partial        replay VMs that ran before the recording began, too, as far as\n"
	"                   it goes; otherwise they are left out\n"
	"  --kernel RELEASE of the host, such as 6.19.2, if the recording does not say it\n"
	"  --batch N        once more, with up to N unmap calls gathered in a batch, which\n"
	"                   pay for one invalidation together; both are shown\n"
	"  --no-merged      without the comparison with Linux 6.12\n"
	"  --no-advice      without advice, for which there is a replay in batches\n"
	"  --calls FILE     write the cost of each call as a line of CSV\n"
	"  --seed N         order in which table pages are handed out; 0: by address (1)\n"
	"  --ipa-bits N     IPA size of every VM, at least (as recorded)\n"
	"  --trace-out FILE write every event as a trace for s2lab judge;\n"
	"                   --trace-for casemate: as far as Casemate reads it\n"
	"  --quiet          print nothing if all is well\n"
	"  --json           print an object (docs/replay.md)\n"
	"\n"
	"Exit status 1 if a rule of the machine was violated or the tables are not what\n"
	"the recording says, 2 if the recording is not well formed (FILE:LINE:COLUMN).\n";

/* A VM that maps something needs 52-bit addresses. */
static bool needs_lpa2(const struct trace *t)
{
	for (size_t i = 0; i < t->vms; i++)
		if (t->vm[i].maps && t->vm[i].ia_bits > 48)
			return true;
	for (size_t i = 0; i < t->events; i++) {
		const struct trace_event *ev = &t->event[i];

		if (ev->op == TRACE_MAP && (ev->addr + ev->size > UINT64_C(1) << 48 ||
					    ev->phys + ev->size > replay_table_base(0)))
			return true;
	}
	return false;
}

/* KVM cleans stage 2 (s2_flush) only on CPUs without FWB. */
static void default_features(struct replay *r)
{
	r->out.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE;
	r->out.features_from = "the default";
	for (size_t i = 0; i < r->t.events; i++) {
		if (r->t.event[i].op == TRACE_FLUSH) {
			r->out.features = 0;
			r->out.features_from = "the recording has s2_flush";
			break;
		}
	}
	if (needs_lpa2(&r->t)) {
		r->out.features |= S2_FEAT_LPA2;
		r->out.features_from = "a VM needs more than 48 bits";
	}
}

enum {
	O_FEATURES = 1,
	O_CPU,
	O_WORST,
	O_VM,
	O_PARTIAL,
	O_KERNEL,
	O_BATCH,
	O_NO_MERGED,
	O_NO_ADVICE,
	O_CALLS,
	O_SEED,
	O_IPA_BITS,
	O_TRACE_OUT,
	O_TRACE_FOR,
	O_QUIET,
	O_JSON
};

static const struct option own_options[] = {
	{ "features", required_argument, NULL, O_FEATURES },
	{ "cpu", required_argument, NULL, O_CPU },
	{ "worst", required_argument, NULL, O_WORST },
	{ "vm", required_argument, NULL, O_VM },
	{ "partial", no_argument, NULL, O_PARTIAL },
	{ "kernel", required_argument, NULL, O_KERNEL },
	{ "batch", required_argument, NULL, O_BATCH },
	{ "no-merged", no_argument, NULL, O_NO_MERGED },
	{ "no-advice", no_argument, NULL, O_NO_ADVICE },
	{ "calls", required_argument, NULL, O_CALLS },
	{ "seed", required_argument, NULL, O_SEED },
	{ "ipa-bits", required_argument, NULL, O_IPA_BITS },
	{ "trace-out", required_argument, NULL, O_TRACE_OUT },
	{ "trace-for", required_argument, NULL, O_TRACE_FOR },
	{ "quiet", no_argument, NULL, O_QUIET },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Enough for ours and those of another command. */
#define OPTIONS_MOST (sizeof(own_options) / sizeof(own_options[0]) + 8)

struct replay_options {
	uint32_t features;
	bool features_asked;
	const char *calls, *file;
	struct trace_wanted wanted;
	struct trace_option trace;
	struct replay_how how;
	uint64_t batch, seed;
	unsigned ipa_bits;
	bool advice, quiet, json;
	const struct replay_user *user; /* or NULL */
};

/* --kernel: MAJOR.MINOR, then anything. */
static bool parse_kernel(const char *arg)
{
	size_t major = strspn(arg, "0123456789");
	bool ok = major && arg[major] == '.' && strspn(arg + major + 1, "0123456789");

	if (!ok)
		lab_usage("--kernel: '%s' is not a release of Linux, such as 6.19.2",
			  arg);
	return ok;
}

/* False after a message. */
static bool parse_option(struct replay_options *o, int id)
{
	uint64_t n;

	if (o->user && (id >= REPLAY_OWN_OPTION || strchr(o->user->letters, id)))
		return o->user->option(o->user->arg, id);
	switch (id) {
	case O_FEATURES:
		o->features_asked = true;
		return lab_parse_features("--features", optarg, &o->features);
	case O_CPU:
		o->how.cpu = cost_profile(optarg);
		return o->how.cpu;
	case O_WORST:
		if (!lab_parse_number("--worst", optarg, 0, WORST_MAX, &n))
			return false;
		o->how.worst = (unsigned)n;
		return true;
	case O_VM:
		o->wanted.one_vm = true;
		return lab_parse_number("--vm", optarg, 0, UINT64_MAX, &o->wanted.vm);
	case O_PARTIAL:
		o->wanted.partial = true;
		return true;
	case O_KERNEL:
		o->wanted.kernel = optarg;
		return parse_kernel(optarg);
	case O_BATCH:
		return lab_parse_number("--batch", optarg, 1, BATCH_MAX, &o->batch);
	case O_NO_MERGED:
		o->how.merged = false;
		return true;
	case O_NO_ADVICE:
		o->advice = false;
		return true;
	case O_CALLS:
		o->calls = optarg;
		return true;
	case O_SEED:
		return lab_parse_number("--seed", optarg, 0, UINT64_MAX, &o->seed);
	case O_IPA_BITS:
		if (!lab_parse_number("--ipa-bits", optarg, 32, 52, &n))
			return false;
		o->ipa_bits = (unsigned)n;
		return true;
	case O_TRACE_OUT:
		o->trace.path = optarg;
		return true;
	case O_TRACE_FOR:
		id = lab_parse_name("--trace-for", "format", optarg, trace_out_formats);
		if (id >= 0)
			o->trace.format = (enum trace_out_format)id;
		return id >= 0;
	case O_QUIET:
		o->quiet = true;
		return true;
	case O_JSON:
		o->json = true;
		return true;
	default:
		fprintf(stderr, "Try 's2lab %s --help'.\n", lab_command);
		return false;
	}
}

static bool open_calls(struct replay *r, const char *path)
{
	r->account.calls = fopen(path, "w");
	if (!r->account.calls) {
		lab_usage("--calls: %s: %s", path, strerror(errno));
		return false;
	}
	fputs("line,t,cpu,pid,task,vm,operation,ipa,size", r->account.calls);
	for (unsigned w = 0; w < WAYS; w++)
		for (unsigned m = 0; m < MEASURES; m++)
			fprintf(r->account.calls, ",%s%s", w ? "merged_" : "",
				account_measure_names[m]);
	fputc('\n', r->account.calls);
	return true;
}

static bool close_calls(struct replay *r, const char *path)
{
	FILE *f = r->account.calls;
	bool ok;

	if (!f)
		return true;
	r->account.calls = NULL;
	ok = !ferror(f);
	ok &= !fclose(f);
	if (!ok)
		fprintf(stderr, "s2lab replay: %s: it could not be written\n", path);
	return ok;
}

static bool begin(struct replay *r, const struct replay_options *o)
{
	if (o->calls && !open_calls(r, o->calls))
		return false;
	if (!o->user)
		return true;
	r->account.each = o->user->call;
	r->account.each_arg = o->user->arg;
	return o->user->begin(o->user->arg, &r->account);
}

static int show(const struct replay_options *o, const struct replay_result *out,
		int status)
{
	if (status == LAB_USAGE)
		return status;
	if (o->user)
		return o->user->result(o->user->arg, out) ? status : LAB_USAGE;
	if (o->json)
		lab_json_print(replay_json(out));
	else if (status == LAB_VIOLATION || !o->quiet)
		replay_print(out);
	return status;
}

/* The recording r->t, which has been read. */
static int replay_run(struct replay *r, const struct replay_options *o)
{
	const bool more = o->batch || (o->advice && !o->quiet && !r->trace);
	struct replay batched = {
		.t = r->t, .seed = r->seed, .out = r->out, .ipa_bits = r->ipa_bits
	};
	const struct replay_how again = { 0 };
	int status = LAB_USAGE;

	if (replay_setup(r, &o->how) && begin(r, o))
		status = replay_all(r);
	if (!close_calls(r, o->calls))
		status = LAB_USAGE;
	if (status == LAB_OK && more) {
		batched.out.batch = (uint32_t)(o->batch ? o->batch : ADVICE_BATCH);
		status = replay_setup(&batched, &again) ? replay_all(&batched) :
							  LAB_USAGE;
		r->out.batched = &batched.out;
		r->out.batch_asked = o->batch;
	}
	r->out.advice = o->advice;
	status = show(o, &r->out, status);
	replay_teardown(&batched);
	return status;
}

/* Ours, and those of @user. */
static void all_options(struct option all[OPTIONS_MOST], const struct replay_user *user)
{
	const size_t ours = sizeof(own_options) / sizeof(own_options[0]);
	size_t n = 0;

	for (; user && user->options[n].name && n + ours < OPTIONS_MOST; n++)
		all[n] = user->options[n];
	memcpy(all + n, own_options, sizeof(own_options));
}

int replay_command(int argc, char **argv, const struct replay_user *user)
{
	struct option all[OPTIONS_MOST];
	char letters[8];
	struct replay_options o = {
		.seed = 1,
		.advice = true,
		.how = { .merged = true, .account = true, .worst = 5 },
		.user = user
	};
	struct replay r = { 0 };
	int id, status = LAB_USAGE;
	bool failed;

	all_options(all, user);
	snprintf(letters, sizeof(letters), "h%s", user ? user->letters : "");
	while ((id = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		if (id == 'h') {
			fputs(user ? user->usage : usage, stdout);
			return LAB_OK;
		}
		if (!parse_option(&o, id))
			return LAB_USAGE;
	}
	if (optind + 1 != argc)
		return lab_usage(optind == argc ? "which recording?" :
						  "one recording at a time");
	if (o.trace.path && o.batch)
		return lab_usage("--trace-out is of one run, without --batch");
	if (!trace_read(&r.t, argv[optind], &o.wanted))
		return LAB_USAGE;
	if ((o.calls && !lab_parse_output("--calls", o.calls, r.t.name)) ||
	    (o.trace.path && !lab_parse_output("--trace-out", o.trace.path, r.t.name))) {
		trace_free(&r.t);
		return LAB_USAGE;
	}
	r.seed = o.seed;
	r.ipa_bits = o.ipa_bits;
	r.out.features = o.features;
	r.out.features_from = "asked for";
	if (!o.features_asked)
		default_features(&r);
	r.trace = trace_option_open(&o.trace, &failed);
	r.few_pes = o.trace.format == TRACE_FOR_CASEMATE;
	if (!failed)
		status = replay_run(&r, &o);
	if (!failed && !trace_option_close(&o.trace, r.trace))
		status = LAB_USAGE;
	replay_teardown(&r);
	trace_free(&r.t);
	return status;
}

int cmd_replay(int argc, char **argv)
{
	return replay_command(argc, argv, NULL);
}
