/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab compare: the command line. For each strategy the engine maps the range on a
 * fresh machine with guests on two PEs; then the strategy unmaps, splits or collapses
 * the range, and the machine counts the events and judges them (run.c).
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "common/granule.h"
#include "common/options.h"
#include "compare.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

/* The most table memory to ask for: the machine allocates it on the host. */
#define TABLES (4 * GIB)

static const char usage[] =
	"usage: s2lab compare [OPTIONS]\n"
	"\n"
	"Maps a range, unmaps it by several strategies, each on a fresh machine with\n"
	"guests on two PEs, and says what each cost and whether it was safe.\n"
	"\n"
	"  --op OP            unmap it; split its blocks into pages; collapse its tables\n"
	"                     into blocks (unmap)\n"
	"  --to SIZE          collapse: the blocks' size (the next above the leaf's)\n"
	"\n"
	"  --ipa START        start of the range (1G)\n"
	"  --mem SIZE         its size (1G)\n"
	"  --leaf SIZE        what it is mapped with (4k; for a split 2m); the granule\n"
	"                     follows:\n"
	"                     4 KiB: 4k, 2m, 1g, with lpa2 512g\n"
	"                     16 KiB: 16k, 32m, with lpa2 64g\n"
	"                     64 KiB: 64k, 512m, with PAs of 52 bits 4t\n"
	"  --around SIZE      map more: the range extended to multiples of SIZE\n"
	"                     (the leaf's size; a block at an edge is unmapped whole)\n"
	"  --empty            map nothing\n"
	"  --features LIST    fwb, tlbirange, ttl, bbm1, bbm2, lpa2, hafdbs, xnx, ets2,\n"
	"                     or none (fwb,tlbirange)\n"
	"  --ipa-bits N       IPA size, 32 to 48, to 52 with lpa2 or 64 KiB granules (the\n"
	"                     least that fits, not below 40)\n"
	"  --pa-bits N        PA size: 36, 40, 42, 44, 48 or 52 (48, or 52 with lpa2 or\n"
	"                     where the IPA size or the leaf needs it)\n"
	"  --strategy LIST    entry, posted, review, merged, stage2, or all (all)\n"
	"  --call-size SIZE   unmap in calls of SIZE; --by-page: of a granule\n"
	"  --budget N         stage2: entries a step may visit, at least 512; --op collapse:\n"
	"                     at least twice the entries of a table\n"
	"  --posted-count C   posted: a table's count is 1 + its entries (linux), or its\n"
	"                     entries (bare)\n"
	"  --posted-free F    posted: a removed table is freed after the walk (rcu), by a\n"
	"                     grace period that the walk does not hold up (rcu-open), or\n"
	"                     at once (now)\n"
	"  --suspicions       which suspicions about posted are real, by which rules;\n"
	"                     takes --features, --seed and --json only\n"
	"  --cpu PROFILE      estimate times by prices that were published (below), or by\n"
	"                     those in a file that bench/calibrate made\n"
	"  --seed N           shuffles table pages; 0: they come in order (1)\n"
	"  --steps            list every event of each unmap\n"
	"  --trace-out FILE   write every event as a trace for s2lab judge; goes with one\n"
	"                     strategy. --trace-for casemate: as far as Casemate reads it\n"
	"  --json             print an object instead of a table\n"
	"\n"
	"Sizes take K, M, G, T, or are as s2lab prints them. Exit status 1 if a strategy is\n"
	"unsafe that may not be.\n"
	"Strategies:\n";

static void help(void)
{
	fputs(usage, stdout);
	for (int i = 0; lab_strategies[i]; i++)
		printf("  %-8s %s%s\n", lab_strategies[i]->name, lab_strategies[i]->says,
		       lab_strategies[i]->must_be_safe ? "" : "; may be unsafe");
	puts("Profiles for --cpu:");
	cost_list();
}

/* ---- options ---- */

enum option_id {
	O_OP = 256,
	O_TO,
	O_IPA,
	O_MEM,
	O_LEAF,
	O_AROUND,
	O_EMPTY,
	O_FEATURES,
	O_IPA_BITS,
	O_PA_BITS,
	O_STRATEGY,
	O_CALL,
	O_BY_PAGE,
	O_BUDGET,
	O_COUNT,
	O_FREE,
	O_SUSPICIONS,
	O_CPU,
	O_SEED,
	O_STEPS,
	O_TRACE_OUT,
	O_TRACE_FOR,
	O_JSON
};

static const struct option options[] = {
	{ "op", 1, NULL, O_OP },
	{ "to", 1, NULL, O_TO },
	{ "ipa", 1, NULL, O_IPA },
	{ "mem", 1, NULL, O_MEM },
	{ "leaf", 1, NULL, O_LEAF },
	{ "around", 1, NULL, O_AROUND },
	{ "empty", 0, NULL, O_EMPTY },
	{ "features", 1, NULL, O_FEATURES },
	{ "ipa-bits", 1, NULL, O_IPA_BITS },
	{ "pa-bits", 1, NULL, O_PA_BITS },
	{ "strategy", 1, NULL, O_STRATEGY },
	{ "call-size", 1, NULL, O_CALL },
	{ "by-page", 0, NULL, O_BY_PAGE },
	{ "budget", 1, NULL, O_BUDGET },
	{ "posted-count", 1, NULL, O_COUNT },
	{ "posted-free", 1, NULL, O_FREE },
	{ "suspicions", 0, NULL, O_SUSPICIONS },
	{ "cpu", 1, NULL, O_CPU },
	{ "seed", 1, NULL, O_SEED },
	{ "steps", 0, NULL, O_STEPS },
	{ "trace-out", 1, NULL, O_TRACE_OUT },
	{ "trace-for", 1, NULL, O_TRACE_FOR },
	{ "json", 0, NULL, O_JSON },
	{ "help", 0, NULL, 'h' },
	{ 0 },
};

static bool parse_strategies(const char *arg, uint32_t *mask)
{
	const char *names[LAB_STRATEGIES + 1] = { NULL };
	char *list, *name, *rest;
	bool ok = true;

	if (!strcmp(arg, "all")) {
		*mask = UINT32_MAX;
		return true;
	}
	for (int i = 0; lab_strategies[i]; i++)
		names[i] = lab_strategies[i]->name;
	*mask = 0;
	list = rest = strdup(arg);
	if (!list)
		abort();
	while (ok && (name = strsep(&rest, ","))) {
		int i = lab_parse_name("--strategy", "strategy", name, names);

		ok = i >= 0;
		if (ok)
			*mask |= UINT32_C(1) << i;
	}
	free(list);
	return ok;
}

static bool parse_piece(const char *opt, const char *arg, uint64_t *out)
{
	if (!lab_parse_pages(opt, arg, out))
		return false;
	if (!*out)
		lab_usage("%s: 0 is no size", opt);
	return *out;
}

static bool parse_option(int id, struct compare_options *o)
{
	uint64_t n = 0;
	bool ok = true;
	int i = 0;

	switch (id) {
	case O_OP:
		i = lab_parse_name("--op", "operation", optarg, compare_ops);
		o->op = (enum lab_op)i;
		return i >= 0;
	case O_TO:
		return lab_parse_leaf("--to", optarg, &o->to);
	case O_IPA:
		return lab_parse_pages("--ipa", optarg, &o->ipa);
	case O_MEM:
		return parse_piece("--mem", optarg, &o->mem);
	case O_LEAF:
		return lab_parse_leaf("--leaf", optarg, &o->leaf);
	case O_AROUND:
		return parse_piece("--around", optarg, &o->around);
	case O_FEATURES:
		return lab_parse_features("--features", optarg, &o->features);
	case O_STRATEGY:
		return parse_strategies(optarg, &o->strategies);
	case O_CALL:
		return parse_piece("--call-size", optarg, &o->call);
	case O_SEED:
		return lab_parse_number("--seed", optarg, 0, UINT32_MAX, &o->seed);
	case O_IPA_BITS:
		ok = lab_parse_number("--ipa-bits", optarg, 32, 52, &n);
		o->ipa_bits = (unsigned)n;
		return ok;
	case O_PA_BITS:
		ok = lab_parse_number("--pa-bits", optarg, 36, 52, &n);
		o->pa_bits = (unsigned)n;
		return ok;
	case O_BUDGET:
		ok = lab_parse_number("--budget", optarg, S2_BUDGET_ENTRIES_MIN,
				      UINT32_MAX, &n);
		o->budget = (uint32_t)n;
		return ok;
	case O_COUNT:
		i = lab_parse_name("--posted-count", "rule", optarg, posted_counts);
		o->count = (enum posted_count)i;
		return i >= 0;
	case O_FREE:
		i = lab_parse_name("--posted-free", "rule", optarg, posted_frees);
		o->free = (enum posted_free)i;
		return i >= 0;
	case O_CPU:
		o->cpu = cost_profile(optarg);
		return o->cpu;
	case O_BY_PAGE:
		o->by_page = true;
		return true;
	case O_EMPTY:
		o->empty = true;
		return true;
	case O_STEPS:
		o->steps = true;
		return true;
	case O_TRACE_OUT:
		o->trace.path = optarg;
		return true;
	case O_TRACE_FOR:
		i = lab_parse_name("--trace-for", "format", optarg, trace_out_formats);
		o->trace.format = (enum trace_out_format)i;
		return i >= 0;
	case O_JSON:
		o->json = true;
		return true;
	default:
		return false;
	}
}

/* Chooses --leaf and --to where they are not given, and checks them against --op. */
static bool check_op(struct compare_options *o)
{
	const struct lab_leaf page = { 4 * KIB, 12, 3, false };

	if (!o->leaf.size)
		o->leaf = o->op == LAB_SPLIT ?
				  (struct lab_leaf){ 2 * MIB, 12, 2, false } :
				  page;
	if (o->to.size && o->op != LAB_COLLAPSE)
		return lab_usage("--to goes with --op collapse"), false;
	if (o->op != LAB_UNMAP && o->empty)
		return lab_usage("--empty goes with --op unmap"), false;
	for (int i = 0; lab_strategies[i]; i++) {
		if (o->strategies != UINT32_MAX && o->strategies & UINT32_C(1) << i &&
		    !lab_strategies[i]->work[o->op])
			return lab_usage("--strategy: %s has no %s",
					 lab_strategies[i]->name, compare_ops[o->op]),
			       false;
	}
	if (o->op == LAB_SPLIT && o->leaf.level == 3)
		return lab_usage("--op split: pages cannot be split; --leaf 2m, 32m or"
				 " 512m"),
		       false;
	if (o->op != LAB_COLLAPSE)
		return true;
	if (o->leaf.level == (o->leaf.page_shift == 12 ? 0 : 1))
		return lab_usage("--op collapse: no block is larger than the leaf"),
		       false;
	if (!o->to.size) {
		o->to = o->leaf;
		o->to.level--;
		o->to.size = level_size(o->leaf.page_shift, o->to.level);
		o->to.wide = o->to.level < (o->leaf.page_shift == 12 ? 1 : 2);
	}
	if (o->to.page_shift != o->leaf.page_shift || o->to.level >= o->leaf.level)
		return lab_usage("--to: not a larger leaf of the same granule"), false;
	if (o->to.wide && !lab_wide(o->leaf.page_shift, compare_pa_bits(o), o->features))
		return lab_usage("--to: so large a block needs %s",
				 o->leaf.page_shift == 16 ? "--pa-bits 52" :
							    "--features lpa2"),
		       false;
	return true;
}

static bool check_range(const struct compare_options *o)
{
	const uint64_t limit = UINT64_C(1)
			       << (o->ipa_bits ? o->ipa_bits : compare_ipa_bits_max(o));
	const uint64_t frames_end = UINT64_C(1) << (compare_pa_bits(o) - 1);
	uint64_t start, end, frames;

	if (o->leaf.wide &&
	    !lab_wide(o->leaf.page_shift, compare_pa_bits(o), o->features))
		return lab_usage("--leaf: so large a leaf needs %s",
				 o->leaf.page_shift == 16 ? "--pa-bits 52" :
							    "--features lpa2"),
		       false;
	if (o->features & S2_FEAT_LPA2 && o->leaf.page_shift == 16)
		return lab_usage(
			       "--features: lpa2 is for granules of 4 and 16 KiB; with 64"
			       " KiB --pa-bits 52\nmakes addresses as wide"),
		       false;
	if ((o->ipa | o->mem | o->call) % level_size(o->leaf.page_shift, 3))
		return lab_usage("--ipa, --mem and --call-size must be multiples of the"
				 " granule"),
		       false;
	if (o->ipa_bits && o->ipa_bits < compare_ipa_bits_min(o))
		return lab_usage(
			       "--leaf: there are so large leaves only with an IPA size of"
			       " %u bits or more",
			       compare_ipa_bits_min(o)),
		       false;
	if (o->around % o->leaf.size)
		return lab_usage("--around: not a multiple of the leaf"), false;
	if (o->ipa >= limit || o->mem > limit - o->ipa)
		return lab_usage("the range ends beyond the IPA size"), false;
	compare_mapped(o, &start, &end, &frames);
	if (!o->empty && end > limit)
		return lab_usage("what is mapped ends beyond the IPA size"), false;
	if (!o->empty && (frames > frames_end || end - start > frames_end - frames))
		return lab_usage("there are not so many frames"), false;
	if (compare_tables(o) > TABLES >> o->leaf.page_shift)
		return lab_usage("that takes more than 4 GiB of tables"), false;
	if (o->trace.path && __builtin_popcount(o->strategies) != 1)
		return lab_usage("--trace-out goes with one --strategy"), false;
	if (o->steps && o->json)
		return lab_usage("--steps and --json exclude each other"), false;
	return true;
}

int cmd_compare(int argc, char **argv)
{
	struct compare_options o = {
		.ipa = GIB,
		.mem = GIB,
		.seed = 1,
		.features = S2_FEAT_FWB | S2_FEAT_TLBIRANGE,
		.strategies = UINT32_MAX,
	};
	struct compare_result r[LAB_STRATEGIES];
	bool suspicions = false, others = false, unsafe = false;
	unsigned n = 0;
	int id, status = LAB_OK;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (id == 'h') {
			help();
			return LAB_OK;
		}
		if (id == '?') {
			fputs("Try 's2lab compare --help'.\n", stderr);
			return LAB_USAGE;
		}
		if (id == O_SUSPICIONS)
			suspicions = true;
		else if (!parse_option(id, &o))
			return LAB_USAGE;
		else if (id != O_FEATURES && id != O_SEED && id != O_JSON)
			others = true;
	}
	if (optind < argc)
		return lab_usage("'%s' is not an option", argv[optind]);
	if (suspicions && others)
		return lab_usage("--suspicions has a configuration of its own; only"
				 " --features, --seed\nand --json go with it");
	if (suspicions)
		return compare_suspicions(&o);
	if (!check_op(&o))
		return LAB_USAGE;
	if (o.by_page)
		o.call = level_size(o.leaf.page_shift, 3);
	if (!check_range(&o))
		return LAB_USAGE;
	for (int i = 0; lab_strategies[i] && status == LAB_OK; i++) {
		if (o.strategies & UINT32_C(1) << i && lab_strategies[i]->work[o.op]) {
			status = compare_run(&o, lab_strategies[i], &r[n]);
			n += status == LAB_OK;
		}
	}
	if (status == LAB_OK)
		unsafe = compare_report(&o, r, n);
	for (unsigned i = 0; i < n; i++)
		compare_result_free(&r[i]);
	return unsafe ? LAB_VIOLATION : status;
}
