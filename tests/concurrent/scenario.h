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
	uint64_t pa;		 /* map: start; annotate: the value, one digit */
	uint32_t attr;		 /* map, relax */
	uint32_t flags;		 /* but for S2_SHARED */
	uint32_t entries, bytes; /* budget of a step of an exclusive call; 0: none */
	bool unlogged;		 /* without op->dirty, where hardware keeps dirty state */
	bool batched;		 /* in the batch that its thread has open */
	bool once;		 /* a map that takes S2_E_BUSY for an answer */
	bool no_limbo;		 /* frees tables before it returns; exclusive */
	bool shared;	/* where there is a lock: S2_SHARED, the lock for reading */
	bool abandoned; /* after its first step */
};

/*
 * outcomes: one word for each page of @watch, of each outcome, in any order,
 * separated by " | ". A word is the call that mapped the page, counted from 'a',
 * upper case when writable (dirty, where hardware keeps that); '-' when it is not mapped;
 * the value of its annotation. Then '!' and the names of the calls that have changed
 * nothing, or not all of their range, and have said so (S2_E_BLOCK, _BUSY, _BATCH), or
 * that an agent has not answered (S2_E_AGENTS).
 * NULL: whatever the judges let pass.
 */
struct scenario {
	const char *name;
	bool locked; /* a lock around each call or step; S2_SHARED where a call says so */
	struct call call[CALLS];
	uint64_t watch[4];
	const char *outcomes;
	int preemptions;   /* at most so many; 0: every order */
	int ipa_bits;	   /* 0: 35, three levels of tables; 44: four */
	uint32_t features; /* beside those of the CPU that the test adds */
	bool unforced;	   /* only where memory has to be cleaned: without FWB */
	bool retypes;	   /* a frame is mapped by one memory type and by another */
	bool counted;	   /* every leaf is */
	bool one_tag;	   /* is free; the others are taken all the time */
	/* The agents' hook fails for this thread; AT_FIRST: for none. */
	enum who agents_fail;
};

#endif /* STAGE2_CONCURRENT_SCENARIO_H */
