// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Faults beside a running unmap. Threads map pages one by one, each in memory of its own,
 * while the memory of a guest is unmapped: 64 GiB in calls of 1 GiB (a guest that ends),
 * 16 GiB in calls of 2 MiB, 256 MiB in calls of a page (a balloon). The program measures
 * how many faults there are and how long the longest one waits. A side that needs a lock
 * gets one like KVM's: faults take it for reading, each call of unmap for writing.
 *
 * Other programs are kept out: the unmap has a CPU for itself, the faults have the other
 * CPUs, and all have real-time priority where that is permitted. Threads that have to
 * share a CPU take turns between faults, as in a kernel, which cannot be preempted in
 * one. A thread that does not have its turn is not waiting.
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rwlock.h"
#include "side.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define GUEST (64 * GIB) /* what is unmapped: [GUEST, 2 * GUEST) */
#define FRAMES (UINT64_C(1) << 44)
#define THREADS 2
#define ALONE 10000   /* faults of each thread before the unmap, so that it is running */
#define AFTER 5000000 /* ns after it */
#define TURN 64	      /* faults, where threads share a CPU */

static const struct scenario {
	const char *name;
	uint64_t size, call;
} scenarios[] = {
	{ "64 GiB by 1 GiB", GUEST, GIB },
	{ "16 GiB by 2 MiB", 16 * GIB, 2 * MIB },
	{ "256 MiB by 4 KiB", GIB / 4, PAGE },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static const struct bench_side *const sides[] = { &bench_engine, &bench_linux };
#define SIDES (sizeof(sides) / sizeof(sides[0]))

/* The number of @faults in @ns, and the @longest that one took. */
struct tally {
	uint64_t faults, ns, longest;
};

/**
 * struct thread - one that faults, on cache lines of its own
 * @cpu: where it runs
 * @passed: quiescent states; odd: in a fault
 * @from: its memory
 * @faults: all of them, in @tally: those alone, and those while the unmap runs
 */
struct thread {
	_Alignas(128) pthread_t id;
	const struct bench_side *side;
	int cpu;
	uint64_t passed, from, faults;
	struct tally tally[2];
};

static struct thread threads[THREADS];
static unsigned nthreads;
static bool running, unmapping;
static struct rwlock lock;
static int cpus[THREADS + 1], ncpus;

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void until(uint64_t ns)
{
	while (nanoseconds() < ns)
		;
}

static void find_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		err(1, "sched_getaffinity");
	for (int cpu = 0; cpu < CPU_SETSIZE && ncpus <= THREADS; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[ncpus++] = cpu;
}

/* This thread, on that CPU. @first: before other threads that want it. */
static void place(int cpu, bool first)
{
	struct sched_param param = { .sched_priority = first ? 1 : 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
	sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param); /* may fail */
}

/* The fault, and what brackets it: a lock, or a section that grace() waits for. */
static void fault(struct thread *t, uint64_t ipa)
{
	bool locks = !t->side->unmap_beside;

	if (locks)
		rwlock_read(&lock);
	else
		__atomic_store_n(&t->passed, t->passed + 1, __ATOMIC_SEQ_CST);
	t->side->fault(ipa, ipa + FRAMES);
	if (locks)
		rwlock_read_done(&lock);
	else
		__atomic_store_n(&t->passed, t->passed + 1, __ATOMIC_RELEASE);
}

static void grace(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < nthreads; i++) {
		uint64_t was = __atomic_load_n(&threads[i].passed, __ATOMIC_ACQUIRE);

		while (was & 1 &&
		       __atomic_load_n(&threads[i].passed, __ATOMIC_ACQUIRE) == was)
			;
	}
}

static void *fault_thread(void *arg)
{
	struct thread *t = arg;
	uint64_t last;

	place(t->cpu, ncpus > 1);
	last = nanoseconds();
	for (uint64_t ipa = t->from; __atomic_load_n(&running, __ATOMIC_RELAXED);
	     ipa += PAGE) {
		bool beside = __atomic_load_n(&unmapping, __ATOMIC_RELAXED);
		struct tally *tally;
		uint64_t now;

		if (ipa == t->from + GUEST)
			errx(1, "more faults than memory");
		if (lock.yield && t->faults % TURN == 0) {
			sched_yield();
			last = nanoseconds();
		}
		fault(t, ipa);
		now = nanoseconds();
		__atomic_store_n(&t->faults, t->faults + 1, __ATOMIC_RELAXED);
		beside |= __atomic_load_n(&unmapping, __ATOMIC_RELAXED);
		tally = &t->tally[beside];
		tally->faults++;
		tally->ns += now - last;
		if (now - last > tally->longest)
			tally->longest = now - last;
		last = now;
	}
	return NULL;
}

/* One round: prints a JSON object. */
static void round_of(const struct bench_side *s, const struct scenario *what, unsigned n)
{
	struct tally sum[2] = { 0 };
	uint64_t took, released;

	nthreads = n;
	lock = (struct rwlock){ .yield = (int)n >= ncpus };
	s->map(GUEST, GUEST + FRAMES, what->size, true);
	running = true;
	place(cpus[0], ncpus > 1); /* from here on nobody waits for our CPU */
	for (unsigned i = 0; i < n; i++) {
		threads[i] = (struct thread){
			.side = s,
			.from = (i + 2) * GUEST,
			.cpu = cpus[ncpus > 1 ? 1 + (int)i % (ncpus - 1) : 0],
		};
		if (pthread_create(&threads[i].id, NULL, fault_thread, &threads[i]))
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < n; i++)
		while (__atomic_load_n(&threads[i].faults, __ATOMIC_RELAXED) < ALONE)
			sched_yield();
	took = nanoseconds();
	__atomic_store_n(&unmapping, true, __ATOMIC_SEQ_CST);
	for (uint64_t ipa = GUEST; ipa < GUEST + what->size; ipa += what->call) {
		if (s->unmap_beside) {
			s->unmap_beside(ipa, what->call);
			continue;
		}
		rwlock_write(&lock);
		s->unmap(ipa, what->call);
		rwlock_write_done(&lock);
	}
	__atomic_store_n(&unmapping, false, __ATOMIC_SEQ_CST);
	released = nanoseconds();
	took = released - took;
	if (s->unmap_beside) {
		grace();
		s->release();
	}
	released = nanoseconds() - released;
	until(nanoseconds() + AFTER);
	__atomic_store_n(&running, false, __ATOMIC_SEQ_CST);
	place(cpus[0], false);
	for (unsigned i = 0; i < n; i++) {
		const struct thread *t = &threads[i];

		pthread_join(t->id, NULL);
		for (unsigned k = 0; k < 2; k++) {
			sum[k].faults += t->tally[k].faults;
			sum[k].ns += t->tally[k].ns;
			if (t->tally[k].longest > sum[k].longest)
				sum[k].longest = t->tally[k].longest;
		}
	}
	/* Every fault must have left a page mapped, and the unmap none. */
	for (unsigned i = 0; i < n; i++)
		for (uint64_t p = 0; p < threads[i].faults; p += 511)
			if (s->lookup(threads[i].from + p * PAGE) !=
			    threads[i].from + p * PAGE + FRAMES)
				errx(1, "%s: a fault is lost", s->name);
	if (s->lookup(GUEST) == GUEST + FRAMES ||
	    s->lookup(GUEST + what->size - PAGE) >= FRAMES)
		errx(1, "%s: something is still mapped", s->name);
	printf("{\"unmap\": \"%s\", \"side\": \"%s\", \"threads\": %u, "
	       "\"unmap_ns\": %" PRIu64 ", \"release_ns\": %" PRIu64,
	       what->name, s->name, n, took, released);
	for (unsigned k = 0; k < 2; k++)
		printf(", \"%s\": {\"faults\": %" PRIu64 ", \"ns\": %" PRIu64
		       ", \"longest_ns\": %" PRIu64 "}",
		       k ? "beside" : "alone", sum[k].faults, sum[k].ns, sum[k].longest);
	puts("}");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct bench_config cfg = {
		.ipa_bits = 40,
		.features = BENCH_FWB | BENCH_TLBIRANGE,
		.tables = (1 + THREADS) * (GUEST >> 21) + 1024,
	};
	unsigned rounds = 9;

	if (argc == 3 && !strcmp(argv[1], "--rounds"))
		rounds = (unsigned)atoi(argv[2]);
	else if (argc > 1)
		errx(2, "usage: bench-faults [--rounds N]");
	find_cpus();
	place(cpus[0], false);
	for (unsigned i = 0; i < SIDES; i++)
		sides[i]->open(&cfg);
	for (unsigned i = 0; i < rounds * SCENARIOS * THREADS; i++)
		for (unsigned k = 0; k < SIDES; k++) {
			if (i)
				sides[k]->reset();
			round_of(sides[k], &scenarios[i % SCENARIOS],
				 i / SCENARIOS % THREADS + 1);
		}
	return 0;
}
