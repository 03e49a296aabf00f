// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs each case on each side and prints one JSON object on each line. tools/bench.py
 * makes a table of them.
 *
 * Times: the sides take turns, run by run, so that a disturbance of the machine affects
 * both. Instructions: under callgrind, which is told when to count.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <valgrind/callgrind.h>

#include "cases.h"

static const struct bench_side *const sides[] = {
	&bench_engine,
#ifdef BENCH_LINUX
	&bench_linux,
#endif
};
#define SIDES (sizeof(sides) / sizeof(sides[0]))

struct options {
	const char *match;
	uint64_t seed;
	unsigned runs;
	bool shuffled, instructions, list;
};

static const char usage[] =
	"usage: bench [OPTIONS]\n"
	"\n"
	"  --case PATTERN   only cases whose name matches (*)\n"
	"  --runs N         time each case so often on each side (11)\n"
	"  --shuffled       table pages in shuffled order\n"
	"  --seed N         of all shuffling, not 0 (1)\n"
	"  --instructions   one run of each; under callgrind, with\n"
	"                   --instr-atstart=no --toggle-collect=FUNCTION, a profile of\n"
	"                   each is written and labelled CASE/SIDE\n"
	"  --list           print the cases and what they are\n";

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Elapsed time, or CPU time if that is less (another program had the CPU). Reading the
 * CPU time takes a system call, so it is read outside of the elapsed time. It is too slow
 * for short cases.
 */
static uint64_t timed(const struct bench_case *c, const struct bench_side *s,
		      const uint64_t *order, uint64_t *ns)
{
	uint64_t cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	uint64_t start = nanoseconds(CLOCK_MONOTONIC);
	uint64_t result = case_run(c, s, order);

	*ns = nanoseconds(CLOCK_MONOTONIC) - start;
	cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	if (cpu < *ns)
		*ns = cpu;
	return result;
}

static void print_counts(const struct bench_counts *a, const struct bench_counts *b)
{
	printf("\"reads\": %" PRIu64 ", \"writes\": %" PRIu64 ", \"tlbi\": %" PRIu64
	       ", \"dsb\": %" PRIu64 ", \"isb\": %" PRIu64 ", \"cleans\": %" PRIu64
	       ", \"cleaned\": %" PRIu64 ", \"taken\": %" PRIu64 ", \"freed\": %" PRIu64,
	       b->reads - a->reads, b->writes - a->writes, b->tlbi - a->tlbi,
	       b->dsb - a->dsb, b->isb - a->isb, b->clean_calls - a->clean_calls,
	       b->clean_bytes - a->clean_bytes, b->taken - a->taken, b->freed - a->freed);
}

/*
 * A case that would use more than half of the available memory reports this and is not
 * run.
 */
static bool too_large(const struct bench_case *c)
{
	uint64_t left =
		(uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t need = 0;

	for (unsigned i = 0; i < SIDES; i++)
		need += case_for(c, sides[i]) ? case_tables(c) << 12 : 0;
	if (need < left / 2)
		return false;
	printf("{\"case\": \"%s\", \"says\": \"%s\", \"skipped\": \"%" PRIu64
	       " MiB of tables, %" PRIu64 " MiB of memory free\"}\n",
	       c->name, c->says, need >> 20, left >> 20);
	return true;
}

static void run_case(const struct bench_case *c, const struct options *o)
{
	struct bench_counts before[SIDES], after[SIDES];
	struct bench_config cfg = {
		.ipa_bits = c->ipa_bits ? c->ipa_bits : 40,
		.features = c->features,
		.tables = case_tables(c),
		.seed = o->shuffled ? o->seed : 0,
	};
	uint64_t *ns = calloc(SIDES * o->runs, sizeof(*ns)), sum[SIDES] = { 0 }, n;
	uint64_t *order = case_order(c, o->seed, &n);

	if (!ns)
		err(1, "no memory");
	for (unsigned i = 0; i < SIDES; i++)
		if (case_for(c, sides[i]))
			sides[i]->open(&cfg);
	for (unsigned r = 0; r < o->runs; r++) {
		for (unsigned i = 0; i < SIDES; i++) {
			const struct bench_side *s = sides[i];
			char label[80];

			if (!case_for(c, s))
				continue;
			if (r)
				s->reset();
			case_before(c, s);
			s->counts(&before[i]);
			if (o->instructions) {
				snprintf(label, sizeof(label), "%s/%s", c->name, s->name);
				CALLGRIND_ZERO_STATS;
				CALLGRIND_START_INSTRUMENTATION;
				sum[i] = case_run(c, s, order);
				CALLGRIND_STOP_INSTRUMENTATION;
				CALLGRIND_DUMP_STATS_AT(label);
			} else {
				sum[i] = timed(c, s, order, &ns[i * o->runs + r]);
			}
			s->counts(&after[i]);
		}
	}
	for (unsigned i = 0; i < SIDES; i++) {
		if (!case_for(c, sides[i]))
			continue;
		sides[i]->close();
		printf("{\"case\": \"%s\", \"says\": \"%s\", \"side\": \"%s\", "
		       "\"order\": \"%s\", \"seed\": %" PRIu64
		       ", \"per\": \"%s\", \"units\": %" PRIu64 ", \"result\": %" PRIu64
		       ", ",
		       c->name, c->says, sides[i]->name,
		       o->shuffled ? "shuffled" : "ascending", o->seed, c->per, c->units,
		       sum[i]);
		print_counts(&before[i], &after[i]);
		printf(", \"ns\": [");
		for (unsigned r = 0; r < o->runs && !o->instructions; r++)
			printf("%s%" PRIu64, r ? ", " : "", ns[i * o->runs + r]);
		printf("]}\n");
	}
	fflush(stdout);
	free(order);
	free(ns);
}

static uint64_t number(const char *what, const char *arg)
{
	char *end;
	unsigned long long n = strtoull(arg, &end, 0);

	if (!n || *end)
		errx(2, "--%s: %s is no number above 0", what, arg);
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "case", 1, NULL, 'c' },	  { "runs", 1, NULL, 'r' },
		{ "shuffled", 0, NULL, 's' },	  { "seed", 1, NULL, 'n' },
		{ "instructions", 0, NULL, 'i' }, { "list", 0, NULL, 'l' },
		{ "help", 0, NULL, 'h' },	  { 0 },
	};
	struct options o = { .match = "*", .seed = 1, .runs = 11 };
	int id;

	while ((id = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (id) {
		case 'c':
			o.match = optarg;
			break;
		case 'r':
			o.runs = (unsigned)number("runs", optarg);
			break;
		case 's':
			o.shuffled = true;
			break;
		case 'n':
			o.seed = number("seed", optarg);
			break;
		case 'i':
			o.instructions = true;
			break;
		case 'l':
			o.list = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (o.instructions)
		o.runs = 1;
	/* Other programs should not disturb the times, as far as this is permitted. */
	if (o.runs > 1)
		sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ 1 });
	for (unsigned i = 0; i < bench_ncases; i++) {
		const struct bench_case *c = &bench_cases[i];

		if (fnmatch(o.match, c->name, 0))
			continue;
		if (o.list)
			printf("%-18s %s\n", c->name, c->says);
		else if (!too_large(c))
			run_case(c, &o);
	}
	return 0;
}
