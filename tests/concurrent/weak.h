/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same scenarios on weakly ordered memory (model/views.h). The words that threads
 * share have histories. A load, or a compare-and-swap that fails, may return an older
 * value; each such choice is an order of its own for the explorer. A table that a thread
 * has taken is seen by those who have seen the link that was made after it was filled.
 *
 * What the embedder orders is ordered: a call begins after those have returned that it
 * is judged by; locks; sections and grace periods.
 */
#ifndef STAGE2_CONCURRENT_WEAK_H
#define STAGE2_CONCURRENT_WEAK_H

#include "views.h"
#include "world.h"

/* How many older values an order may read; 0: memory is sequentially consistent. */
extern unsigned weak;

/* At most so many ways to read one word: histories are no longer. */
#define WEAK_CHOICES 8
_Static_assert(VIEWS_DEPTH <= WEAK_CHOICES, "a way to read each message");

struct weak_state {
	uint8_t stale;	/* older values that have been read */
	uint64_t fresh; /* tables that threads have taken: a bit each */
	/* Tables whose address was read, and what that depends on (weak.c). */
	int8_t page[THREADS][WEAK_CHOICES + 5];
	struct views v;
};
extern struct weak_state weak_now;

size_t weak_size(void);
void weak_begin(void);
/* A word is shared from now on; the search begins again. */
void weak_share(uint32_t where);
void weak_forget_shared(void);

/* In how many ways a thread may take its next step, if that is @event at @where. */
unsigned weak_ways(int thread, enum event event, uint32_t where);
/* The way that is taken, before the step and after it. */
void weak_step(int thread, unsigned way);
void weak_stepped(int thread);
uint64_t weak_hash(uint64_t h);

/* ---- the port's accesses; of the thread that runs ---- */

/* Whether an older value is read, or the access is not of a shared word. */
uint64_t weak_load(uint32_t where, const uint64_t *word, unsigned order);
/*
 * A compare-and-swap that is to fail for an older value: true, and it in *found. Does not
 * return if that value is the expected one, for such an order does not exist.
 */
bool weak_fails(uint32_t where, const uint64_t *word, uint64_t old, unsigned order,
		uint64_t *found);
/* After the word was written. */
void weak_store(uint32_t where, uint64_t old, uint64_t value, unsigned order);
void weak_rmw(uint32_t where, uint64_t old, uint64_t value, unsigned order);
void weak_hardware(uint32_t where, uint64_t old, uint64_t value);
void weak_dsb(int thread, enum event kind);
/* Whether others may see a store of the thread before one that it has made earlier. */
bool weak_loose(int thread);
/* Whether a thread has seen the last value of an entry. */
bool weak_knows(int thread, uint32_t entry);

/* ---- tables ---- */

void weak_taken(int thread, unsigned page);
/* A thread writes to a table that is still its own. */
void weak_filled(unsigned page);
/* A thread has got the address of a table. */
void weak_address(unsigned page);
/* It uses a word of it, or links it by a store of that order. */
void weak_uses(uint32_t where);
void weak_links(unsigned page, unsigned order);

/* ---- what the embedder orders ---- */

void weak_call_begins(int thread);
void weak_call_returns(int thread);
void weak_hardware_returns(void);
void weak_locked(int thread, bool shared);
void weak_unlocked(int thread, bool shared);
void weak_section_begins(int thread);
void weak_section_ends(int thread);
void weak_grace_begins(int thread);

#endif /* STAGE2_CONCURRENT_WEAK_H */
