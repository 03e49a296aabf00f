/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a scenario is: what is mapped at first, what each thread calls, and every
 * outcome that some order must show, and no other.
 */
#ifndef STAGE2_CONCURRENT_SCENARIO_H
#define STAGE2_CONCURRENT_SCENARIO_H

#include "world.h"

/* By whom: AT_FIRST, without a lock being needed, or one of the threads. */
enum who { AT_FIRST, T1, T2, T3 };

struct call {
	enum call_kind kind;
	enum who who;
	uint64_t ipa, size;
	uint64_t pa;	/* map: start; annotate: the value, one digit */
	uint32_t attr;	/* map, relax */
	uint32_t flags; /* but for S2_SHARED */
	bool unlogged;	/* without op->dirty, where hardware keeps dirty state */
};

/*
 * outcomes: one word for each page of @watch, of each outcome, in any order,
 * separated by " | ". A word is the call that mapped the page, counted from 'a',
 * upper case when writable (dirty, where hardware keeps that); '-' when it is not mapped;
 * the value of its annotation.
 */
struct scenario {
	const char *name;
	bool locked; /* a lock around each call, no S2_SHARED */
	struct call call[CALLS];
	uint64_t watch[4];
	const char *outcomes;
	int preemptions;	 /* at most so many; 0: every order */
	uint32_t entries, bytes; /* budget of a step; 0: none */
	uint32_t features;	 /* beside those of the CPU that the test adds */
};

#endif /* STAGE2_CONCURRENT_SCENARIO_H */
