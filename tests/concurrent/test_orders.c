/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_orders [-v] [-p N] [-w N] [-c CPU] [WORD]: every scenario (whose name contains
 * WORD), with and without FWB and range TLBIs (of CPU 0 or 1 only), in every order, or in
 * those with at most N preemptions. -w: on weakly ordered memory (weak.h), in which at
 * most N loads of an order return an older value.
 * test_orders [-p N] -r SEED COUNT: scenarios by chance, each seed one. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"
#include "weak.h"

static const struct {
	const char *name;
	uint32_t features;
} cpus[] = {
	{ "none", 0 },
	{ "fwb,tlbirange,ttl", S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL },
};

static int most;      /* preemptions; 0: as each scenario says */
static int only = -1; /* the CPU */

/* No outcome but those expected has come, or there would be a violation; but all? */
static bool all_came(const struct scenario *sc, const struct result *res)
{
	unsigned expected = 1;

	for (const char *p = sc->outcomes; *p; p++)
		expected += *p == '|';
	return res->noutcomes == expected;
}

static bool run(const struct scenario *from, unsigned cpu, unsigned test,
		unsigned long long *states)
{
	struct scenario sc = *from;
	struct result res;
	bool good;

	sc.features |= cpus[cpu].features;
	if (most && (!sc.preemptions || sc.preemptions > most))
		sc.preemptions = most;
	explore(&sc, &res);
	*states += res.states;
	good = !res.rule && (most || weak || all_came(&sc, &res));
	printf("%s %u - %s [%s]: %llu states, every order", good ? "ok" : "not ok", test,
	       sc.name, cpus[cpu].name, (unsigned long long)res.states);
	if (res.bound >= 0)
		printf(" with %d preemptions", res.bound);
	if (weak)
		printf(", %u older value%s", weak, weak > 1 ? "s" : "");
	printf("\n");
	if (res.rule) {
		printf("# %s: %s\n", res.rule, res.detail);
		explore_replay(&sc);
	} else if (!good || verbose) {
		printf("#   %llu steps, outcomes:", (unsigned long long)res.steps);
		for (unsigned i = 0; i < res.noutcomes; i++)
			printf("%s%s", i ? " | " : " ", res.outcome[i]);
		printf("; expected: %s\n", sc.outcomes);
	}
	fflush(stdout);
	return good;
}

/*
 * Scenarios by chance, from a seed on. One in which each of two calls can undo what the
 * other has begun has no end, and says that it is too large.
 */
static int run_random(uint64_t seed, uint64_t n)
{
	unsigned long long states = 0, large = 0, failed = 0;

	for (uint64_t i = seed; i < seed + n; i++) {
		struct scenario sc;
		struct result res;

		scenario_random(&sc, i);
		if (most)
			sc.preemptions = most;
		explore(&sc, &res);
		states += res.states;
		if (!res.rule)
			continue;
		if (!strcmp(res.rule, "scenario-too-large")) {
			large++;
			continue;
		}
		failed++;
		printf("# %s: %s\n", res.rule, res.detail);
		scenario_print(&sc);
		explore_replay(&sc);
		fflush(stdout);
	}
	printf("%s 1 - random scenarios %llu to %llu: %llu states, %llu failed, "
	       "%llu too large\n1..1\n",
	       failed ? "not ok" : "ok", (unsigned long long)seed,
	       (unsigned long long)(seed + n - 1), states, failed, large);
	return failed || large > n / 4;
}

int main(int argc, char **argv)
{
	const char *word = "";
	unsigned n = 0, failed = 0;
	unsigned long long states = 0;
	const struct scenario *sc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "-p") && i + 1 < argc)
			most = atoi(argv[++i]);
		else if (!strcmp(argv[i], "-c") && i + 1 < argc)
			only = atoi(argv[++i]);
		else if (!strcmp(argv[i], "-w") && i + 1 < argc)
			weak = (unsigned)atoi(argv[++i]);
		else if (!strcmp(argv[i], "-r") && i + 2 < argc)
			return run_random(strtoull(argv[i + 1], NULL, 0),
					  strtoull(argv[i + 2], NULL, 0));
		else
			word = argv[i];
	}
	for (unsigned i = 0; (sc = scenario_at(i)); i++)
		for (unsigned cpu = 0; strstr(sc->name, word) && cpu < 2; cpu++)
			if ((!cpu || !sc->unforced) && (only < 0 || only == (int)cpu))
				failed += !run(sc, cpu, ++n, &states);
	printf("# %llu states in all\n1..%u\n", states, n);
	return failed || !n;
}
