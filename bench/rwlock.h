/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A reader-writer lock like KVM's mmu_lock. Waiting threads spin, in the order of
 * arrival. While a writer waits, no reader overtakes it. A POSIX lock puts waiting
 * threads to sleep, and waking them would be most of the waiting time.
 */
#ifndef STAGE2_BENCH_RWLOCK_H
#define STAGE2_BENCH_RWLOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define RWLOCK_WRITER 1u
#define RWLOCK_WAITS 2u /* a writer waits: readers queue behind it */
#define RWLOCK_READER 4u

/**
 * struct rwlock - zero: free
 * @state: RWLOCK_*, plus the number of readers that hold it, times RWLOCK_READER
 * @next, @turn: the queue: tickets
 * @yield: threads share CPUs, so a spinning thread gives its CPU up
 */
struct rwlock {
	_Alignas(128) uint32_t state;
	_Alignas(128) uint32_t next, turn;
	bool yield;
};

static inline void rwlock_pause(const struct rwlock *l)
{
	if (l->yield)
		sched_yield();
}

static inline void rwlock_queue(struct rwlock *l)
{
	uint32_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->turn, __ATOMIC_ACQUIRE) != mine)
		rwlock_pause(l);
}

static inline void rwlock_unqueue(struct rwlock *l)
{
	__atomic_store_n(&l->turn, l->turn + 1, __ATOMIC_RELEASE);
}

static inline void rwlock_read(struct rwlock *l)
{
	uint32_t was = __atomic_fetch_add(&l->state, RWLOCK_READER, __ATOMIC_ACQUIRE);

	if (!(was & (RWLOCK_WRITER | RWLOCK_WAITS)))
		return;
	__atomic_fetch_sub(&l->state, RWLOCK_READER, __ATOMIC_RELAXED);
	rwlock_queue(l);
	/* No writer can be waiting now: it would be at the head of the queue. */
	__atomic_fetch_add(&l->state, RWLOCK_READER, __ATOMIC_RELAXED);
	while (__atomic_load_n(&l->state, __ATOMIC_ACQUIRE) & RWLOCK_WRITER)
		rwlock_pause(l);
	rwlock_unqueue(l);
}

static inline void rwlock_read_done(struct rwlock *l)
{
	__atomic_fetch_sub(&l->state, RWLOCK_READER, __ATOMIC_RELEASE);
}

static inline bool rwlock_take(struct rwlock *l, uint32_t from)
{
	return __atomic_load_n(&l->state, __ATOMIC_RELAXED) == from &&
	       __atomic_compare_exchange_n(&l->state, &from, RWLOCK_WRITER, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void rwlock_write(struct rwlock *l)
{
	if (rwlock_take(l, 0))
		return;
	rwlock_queue(l);
	__atomic_fetch_or(&l->state, RWLOCK_WAITS, __ATOMIC_RELAXED);
	while (!rwlock_take(l, RWLOCK_WAITS))
		rwlock_pause(l);
	rwlock_unqueue(l);
}

static inline void rwlock_write_done(struct rwlock *l)
{
	__atomic_fetch_sub(&l->state, RWLOCK_WRITER, __ATOMIC_RELEASE);
}

#endif /* STAGE2_BENCH_RWLOCK_H */
