// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Faults beside a running unmap: threads map pages one by one, each in memory of its
 * own, while 64 GiB are unmapped in calls of 1 GiB (a guest that goes), or 256 MiB in
 * calls of a page (a balloon). How many faults there are, and how long the unlucky one
 * waits.
 *
 * A side that needs a lock gets what KVM has: faults take it for reading, each call
 * of unmap for writing, and writers go first.
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "side.h"

#define PAGE UINT64_C(4096)
#define GIB (UINT64_C(1) << 30)
#define GUEST (64 * GIB) /* what is unmapped: [GUEST, 2 * GUEST) */
#define FRAMES (UINT64_C(1) << 44)
#define THREADS 2
#define ALONE 10000   /* faults of each thread before the unmap, so that it is running */
#define AFTER 5000000 /* ns after it */

static const struct scenario {
	const char *name;
	uint64_t size, call;
} scenarios[] = {
	{ "64 GiB by 1 GiB", GUEST, GIB },
	{ "256 MiB by 4 KiB", GIB / 4, PAGE },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static const struct bench_side *const sides[] = {
	&bench_engine,
#ifdef BENCH_LINUX
	&bench_linux,
#endif
};

#define SIDES (sizeof(sides) / sizeof(sides[0]))

/* A cache line each, so that nobody waits for another's counter. */
struct thread {
	_Alignas(128) pthread_t id;
	const struct bench_side *side;
	uint64_t from;
	uint64_t faults, beside, longest; /* the last two while the unmap runs */
	uint64_t passed;		  /* quiescent states; odd: in a fault */
};

static struct thread threads[THREADS];
static unsigned nthreads;
static bool running, unmapping;
static pthread_rwlock_t lock;

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

/* The fault, and what brackets it: a lock, or a section that grace() waits for. */
static void fault(struct thread *t, uint64_t ipa)
{
	bool locks = !t->side->unmap_beside;

	if (locks)
		pthread_rwlock_rdlock(&lock);
	else
		__atomic_store_n(&t->passed, t->passed + 1, __ATOMIC_SEQ_CST);
	t->side->fault(ipa, ipa + FRAMES);
	if (locks)
		pthread_rwlock_unlock(&lock);
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

	for (uint64_t ipa = t->from; __atomic_load_n(&running, __ATOMIC_RELAXED);
	     ipa += PAGE) {
		bool beside = __atomic_load_n(&unmapping, __ATOMIC_RELAXED);
		uint64_t start = nanoseconds(), took;

		if (ipa == t->from + GUEST)
			errx(1, "more faults than memory");
		fault(t, ipa);
		took = nanoseconds() - start;
		__atomic_store_n(&t->faults, t->faults + 1, __ATOMIC_RELAXED);
		if (!beside && !__atomic_load_n(&unmapping, __ATOMIC_RELAXED))
			continue;
		t->beside++;
		if (took > t->longest)
			t->longest = took;
	}
	return NULL;
}

/* One round: prints a JSON object. */
static void round_of(const struct bench_side *s, const struct scenario *what, unsigned n)
{
	uint64_t start, took, faults = 0, beside = 0, longest = 0, all;

	nthreads = n;
	s->map(GUEST, GUEST + FRAMES, what->size, true);
	running = true;
	start = nanoseconds();
	for (unsigned i = 0; i < n; i++) {
		threads[i] = (struct thread){ .side = s, .from = (i + 2) * GUEST };
		if (pthread_create(&threads[i].id, NULL, fault_thread, &threads[i]))
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < n; i++)
		while (__atomic_load_n(&threads[i].faults, __ATOMIC_RELAXED) < ALONE)
			;
	took = nanoseconds();
	__atomic_store_n(&unmapping, true, __ATOMIC_SEQ_CST);
	for (uint64_t ipa = GUEST; ipa < GUEST + what->size; ipa += what->call) {
		if (s->unmap_beside) {
			s->unmap_beside(ipa, what->call);
			continue;
		}
		pthread_rwlock_wrlock(&lock);
		s->unmap(ipa, what->call);
		pthread_rwlock_unlock(&lock);
	}
	__atomic_store_n(&unmapping, false, __ATOMIC_SEQ_CST);
	took = nanoseconds() - took;
	if (s->unmap_beside) {
		grace();
		s->release();
	}
	until(nanoseconds() + AFTER);
	__atomic_store_n(&running, false, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i].id, NULL);
		faults += threads[i].faults;
		beside += threads[i].beside;
		if (threads[i].longest > longest)
			longest = threads[i].longest;
	}
	all = nanoseconds() - start;
	/* Every fault must have left a page, and the unmap none. */
	for (unsigned i = 0; i < n; i++)
		for (uint64_t p = 0; p < threads[i].faults; p += 511)
			if (s->lookup(threads[i].from + p * PAGE) !=
			    threads[i].from + p * PAGE + FRAMES)
				errx(1, "%s: a fault is lost", s->name);
	if (s->lookup(GUEST) == GUEST + FRAMES ||
	    s->lookup(GUEST + what->size - PAGE) >= FRAMES)
		errx(1, "%s: something is still mapped", s->name);
	printf("{\"unmap\": \"%s\", \"side\": \"%s\", \"threads\": %u, \"faults\": %" PRIu64
	       ", \"ns\": %" PRIu64 ", \"beside\": %" PRIu64 ", \"unmap_ns\": %" PRIu64
	       ", \"longest_ns\": %" PRIu64 "}\n",
	       what->name, s->name, n, faults, all, beside, took, longest);
}

int main(int argc, char **argv)
{
	const struct bench_config cfg = {
		.ipa_bits = 40,
		.features = BENCH_FWB | BENCH_TLBIRANGE,
		.tables = (1 + THREADS) * (GUEST >> 21) + 1024,
	};
	pthread_rwlockattr_t attr;
	unsigned rounds = 9;

	if (argc == 3 && !strcmp(argv[1], "--rounds"))
		rounds = (unsigned)atoi(argv[2]);
	else if (argc > 1)
		errx(2, "usage: bench-faults [--rounds N]");
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lock, &attr);
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
