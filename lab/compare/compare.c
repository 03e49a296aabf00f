/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2lab compare: a range is mapped by the engine on a fresh machine, guests run
 * on two PEs, one strategy unmaps, splits or collapses it, and the machine counts
 * and judges.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "strategy/kvm.h"
#include "common/options.h"
#include "common/report.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

#define TABLES (4 * GIB) /* at most: the machine's memory is real */

const char *const compare_ops[] = { "unmap", "split", "collapse", NULL };
const char *const posted_counts[] = { "linux", "bare", NULL };
const char *const posted_frees[] = { "rcu", "rcu-open", "now", NULL };

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
	"  --budget N         stage2: entries a step may visit, at least 512\n"
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
	"  --json             print an object instead of a table\n"
	"\n"
	"Sizes take K, M, G, T. Exit status 1 if a strategy is unsafe that may not be.\n"
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

/* ---- one strategy ---- */

static uint64_t up(uint64_t n, uint64_t to)
{
	return n % to ? n - n % to + to : n;
}

static uint64_t granule(const struct compare_options *o)
{
	return UINT64_C(1) << o->leaf.page_shift;
}

/*
 * PA of the first frame; tables begin at half the PA size. With 52 bits it is one
 * that has bits where descriptors hide the top of an address.
 */
static uint64_t frames_base(const struct compare_options *o)
{
	unsigned pa_bits = compare_pa_bits(o);

	return pa_bits == 36 || pa_bits == 52 ? UINT64_C(1) << (pa_bits - 2) : 64 * GIB;
}

/* The next larger block than those that a collapse makes, or these if there is none. */
static uint64_t larger_block(const struct compare_options *o)
{
	const int level = o->to.level - 1, first = o->to.page_shift == 12 ? 1 : 2;
	const bool wide = lab_wide(o->to.page_shift, compare_pa_bits(o), o->features);

	if (level < first - wide)
		return o->to.size;
	return level_size(o->to.page_shift, level);
}

void compare_mapped(const struct compare_options *o, uint64_t *start, uint64_t *end,
		    uint64_t *frames)
{
	uint64_t around = o->around ? o->around : o->leaf.size;

	*start = o->ipa - o->ipa % around;
	*end = up(o->ipa + o->mem, around);
	*frames = up(frames_base(o), o->leaf.size) + *start % GIB;
	if (o->op == LAB_COLLAPSE) {
		/* Such that a block of this size fits, and none that is larger. */
		uint64_t next = larger_block(o);

		*frames = up(frames_base(o), next) + *start % next;
		if (next > o->to.size)
			*frames += o->to.size;
	}
}

static int map(struct lab_vm *vm, const struct compare_options *o)
{
	const uint32_t flags = o->leaf.level == 3 ? S2_MAP_PAGES : 0;
	uint64_t ipa, end, pa, n;

	compare_mapped(o, &ipa, &end, &pa);
	for (; ipa < end; ipa += n, pa += n) {
		int err;

		/* The engine takes the largest block that fits: one leaf a call. */
		n = o->leaf.level == 3 ? up(ipa + 1, 64 * MIB) - ipa : o->leaf.size;
		if (n > end - ipa)
			n = end - ipa;
		err = s2_map(&vm->s2, s2_ipa(ipa), s2_pa(pa), n, S2_R | S2_W, flags,
			     NULL);
		if (err)
			return err;
		lab_progress("mapping", ipa, end);
	}
	return 0;
}

/* Promises that hold when everything has returned. */
static void claim(struct lab_vm *vm, const struct compare_options *o)
{
	/* A block at the edge goes whole. */
	uint64_t lo = o->ipa - o->ipa % o->leaf.size;
	uint64_t hi = up(o->ipa + o->mem, o->leaf.size);
	uint64_t start, end, frames;

	compare_mapped(o, &start, &end, &frames);
	if (o->empty) {
		lo = o->ipa;
		hi = o->ipa + o->mem;
	}
	s2m_claim_unmapped(vm->m, 0, lab_vm_root(vm), lo, hi - lo, 0);
	if (!o->empty)
		s2m_claim_frame_free(vm->m, 0, frames + (lo - start), hi - lo);
}

static uint64_t tables_needed(const struct compare_options *o)
{
	uint64_t start, end, frames, n = 64;

	compare_mapped(o, &start, &end, &frames);
	if (o->empty)
		return n;
	for (int level = 3; level > 0; level--) {
		uint64_t each = level_size(o->leaf.page_shift, level - 1);

		if (level <= o->leaf.level || o->op == LAB_SPLIT)
			n += up(end, each) / each - start / each;
	}
	return n;
}

static unsigned ipa_bits_max(const struct compare_options *o)
{
	bool wide = lab_wide(o->leaf.page_shift, compare_pa_bits(o), o->features);

	return wide ? 52 : 48;
}

/*
 * The least with which tables begin at the level of the largest leaf: 16 do with 4 bits
 * less.
 */
static unsigned ipa_bits_min(const struct compare_options *o)
{
	int level = o->op == LAB_COLLAPSE ? o->to.level : o->leaf.level;

	return level_shift(o->leaf.page_shift, level) + 5;
}

unsigned compare_ipa_bits(const struct compare_options *o)
{
	uint64_t start, end, frames;
	unsigned bits = o->pa_bits && o->pa_bits < 40 ? o->pa_bits : 40;

	if (o->ipa_bits)
		return o->ipa_bits;
	if (bits < ipa_bits_min(o))
		bits = ipa_bits_min(o);
	compare_mapped(o, &start, &end, &frames);
	while (bits < ipa_bits_max(o) && end > UINT64_C(1) << bits)
		bits++;
	return bits;
}

unsigned compare_pa_bits(const struct compare_options *o)
{
	const uint64_t narrow = UINT64_C(1) << 48;

	if (o->pa_bits)
		return o->pa_bits;
	if (o->features & S2_FEAT_LPA2)
		return 52;
	if (o->leaf.page_shift == 16 && (o->leaf.wide || o->to.wide || o->ipa_bits > 48 ||
					 o->ipa > narrow || o->mem > narrow - o->ipa))
		return 52;
	return 48;
}

static void keep(struct compare_result *r, const struct machine *m)
{
	r->violations = s2m_violations(m);
	r->kept = s2m_violations_kept(m);
	r->violation = calloc(r->kept ? r->kept : 1, sizeof(*r->violation));
	if (!r->violation)
		abort();
	for (unsigned i = 0; i < r->kept; i++)
		r->violation[i] = *s2m_violation(m, i);
}

static int work(struct lab_run *run, const struct compare_options *o,
		const struct lab_strategy *s, struct compare_result *r)
{
	struct machine *m = run->vm->m;
	const uint64_t end = o->ipa + o->mem;
	uint64_t ipa = o->ipa, n;
	int err = 0;

	s2m_counters_reset(m);
	if (o->steps) {
		printf("%s:\n", s->name);
		s2m_log(m, stdout);
	}
	for (; ipa < end && !err; ipa += n, r->calls++) {
		n = o->call && o->call < end - ipa ? o->call : end - ipa;
		err = s->work[o->op](run, ipa, n);
		if (!err && n < o->mem && o->op == LAB_UNMAP)
			s2m_claim_unmapped(m, 0, lab_vm_root(run->vm), ipa, n, 0);
		lab_progress(s->name, ipa - o->ipa, o->mem);
	}
	if (!err && o->op == LAB_UNMAP)
		claim(run->vm, o);
	s2m_log(m, NULL);
	r->n = run->total;
	r->longest_step = run->longest_step;
	r->story = run->story;
	r->tables_left = s2m_tables_in_use(m);
	r->root_pages = run->vm->s2.root_pages;
	keep(r, m);
	return err;
}

int compare_run(const struct compare_options *o, const struct lab_strategy *s,
		struct compare_result *r)
{
	const struct lab_vm_config cfg = {
		.ipa_bits = compare_ipa_bits(o),
		.pa_bits = compare_pa_bits(o),
		.page_shift = o->leaf.page_shift,
		.features = o->features,
		.vcpus = 2,
		.vmid = 1,
		.table_pages = tables_needed(o),
		.seed = o->seed,
		.max_violations = o->max_violations,
	};
	struct lab_vm vm;
	struct lab_run run = {
		.vm = &vm,
		.features = o->features,
		.budget = o->budget,
		.to_level = o->to.level,
		.count = o->count,
		.free = o->free,
	};
	char names[LAB_FEATURES_LEN];
	bool lost = false;
	int err;

	memset(r, 0, sizeof(*r));
	r->strategy = s;
	err = lab_vm_init(&vm, &cfg);
	if (err)
		return lab_usage("%u bits of IPA, %u of PA, features %s: %s",
				 cfg.ipa_bits, cfg.pa_bits,
				 lab_features_text(o->features, names), s2_strerror(err));
	if (!o->empty)
		err = map(&vm, o);
	if (!err && s->on_kvm) {
		run.kvm = kvm_new(&vm, o->features,
				  s == &strategy_posted ? o->count : COUNT_LINUX);
		if (!run.kvm)
			err = S2_E_NOMEM;
	}
	if (!err)
		err = work(&run, o, s, r);
	lab_progress_end();
	if (!err && o->op != LAB_UNMAP)
		lost = !compare_still_mapped(o, &vm, s->name, &r->leaves);
	kvm_free(run.kvm);
	lab_vm_free(&vm);
	if (err) {
		compare_result_free(r);
		return lab_usage("%s: %s", s->name, s2_strerror(err));
	}
	if (lost)
		compare_result_free(r);
	return lost ? LAB_VIOLATION : LAB_OK;
}

void compare_result_free(struct compare_result *r)
{
	free(r->violation);
	r->violation = NULL;
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
	case O_JSON:
		o->json = true;
		return true;
	default:
		return false;
	}
}

/* What --op makes of the leaf, and whether they go together. */
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
			       << (o->ipa_bits ? o->ipa_bits : ipa_bits_max(o));
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
	if ((o->ipa | o->mem | o->call) % granule(o))
		return lab_usage("--ipa, --mem and --call-size must be multiples of the"
				 " granule"),
		       false;
	if (o->ipa_bits && o->ipa_bits < ipa_bits_min(o))
		return lab_usage(
			       "--leaf: there are so large leaves only with an IPA size of"
			       " %u bits or more",
			       ipa_bits_min(o)),
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
	if (tables_needed(o) > TABLES >> o->leaf.page_shift)
		return lab_usage("that takes more than 4 GiB of tables"), false;
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
		o.call = granule(&o);
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
