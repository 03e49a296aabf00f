/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Quiescent states. They say when a detached table may be freed, for an embedder
 * without RCU. Header only, freestanding C11, no allocation, no lock.
 *
 * Each thread that walks the tables without a lock is a *reader*. While a reader is on
 * line, it reports regularly that it holds no pointer into the tables (a quiescent
 * state, for example between two exits of a vCPU). While it sleeps or runs a guest, it
 * is off line. A *grace period* is over when every reader has passed a quiescent state
 * since the period began, or has been off line.
 *
 *	s2_qsbr_online(&q, me);
 *	for (;;) {
 *		s2_map(..., S2_SHARED, &op);	(op.limbo = &mine.filling)
 *		s2_qsbr_quiescent(&q, me);
 *		s2_qsbr_reclaim(&q, &mine, &s2, NULL);
 *	}
 *
 * The time between online or quiescent and the next quiescent or offline is a
 * read-side section. A call that has returned S2_MORE holds no pointer: it may be made
 * again in another section.
 *
 * docs/porting.md says why the memory orders below are sufficient.
 */
#ifndef STAGE2_QSBR_H
#define STAGE2_QSBR_H

#include <stdatomic.h>
#include <stage2/stage2.h>

/**
 * struct s2_qsbr_reader - one registered reader
 * @seen: the grace period that it has acknowledged; 0: off line
 *
 * Each has a cache line of its own, because each reader writes only its own, and often.
 */
struct s2_qsbr_reader {
	_Alignas(64) _Atomic uint64_t seen;
};

/**
 * struct s2_qsbr - the readers of one or more instances
 * @period: the last grace period begun; the first is 1
 * @readers: all who may ever be on line, @n of them; the caller's array
 */
struct s2_qsbr {
	_Atomic uint64_t period;
	struct s2_qsbr_reader *readers;
	unsigned n;
};

/**
 * struct s2_qsbr_limbo - detached tables that wait for their grace period
 * @filling: its address is given as s2_op.limbo
 * @waiting: not reachable since @period began
 *
 * It belongs to one thread, or to the holder of a lock of the embedder.
 * Zero-initialise it.
 */
struct s2_qsbr_limbo {
	struct s2_limbo filling, waiting;
	uint64_t period;
};

/** s2_qsbr_init() - register @n readers, all off line; call it before @q is used */
static inline void s2_qsbr_init(struct s2_qsbr *q, struct s2_qsbr_reader *readers,
				unsigned n)
{
	atomic_init(&q->period, 1);
	q->readers = readers;
	q->n = n;
	for (unsigned i = 0; i < n; i++)
		atomic_init(&readers[i].seen, 0);
}

/**
 * s2_qsbr_online() - the reader may hold pointers from here on
 *
 * Either a grace period that begins now sees that the reader is on line and waits for
 * it, or the reader sees the new period, and with it every detach before that period.
 * Both accesses are sequentially consistent, so that they cannot both miss (store
 * buffering). The load of period is an acquire as well, so later reads come after it.
 */
static inline void s2_qsbr_online(struct s2_qsbr *q, struct s2_qsbr_reader *r)
{
	atomic_store_explicit(&r->seen, 1, memory_order_seq_cst);
	atomic_store_explicit(&r->seen,
			      atomic_load_explicit(&q->period, memory_order_seq_cst),
			      memory_order_release);
}

/**
 * s2_qsbr_quiescent() - the reader holds no pointer at this moment
 *
 * Release: the earlier reads of the tables come before the store, for the thread that
 * reads the new value and frees the tables. Acquire: after the reader has acknowledged
 * a period, its later reads cannot reach what was detached before that period.
 */
static inline void s2_qsbr_quiescent(struct s2_qsbr *q, struct s2_qsbr_reader *r)
{
	atomic_store_explicit(&r->seen,
			      atomic_load_explicit(&q->period, memory_order_acquire),
			      memory_order_release);
}

/** s2_qsbr_offline() - the reader holds no pointer until s2_qsbr_online() */
static inline void s2_qsbr_offline(struct s2_qsbr_reader *r)
{
	atomic_store_explicit(&r->seen, 0, memory_order_release);
}

/**
 * s2_qsbr_begin() - begin a grace period
 *
 * Return: its number, for s2_qsbr_over(). A reader that has acknowledged it cannot
 * reach what the caller detached before.
 */
static inline uint64_t s2_qsbr_begin(struct s2_qsbr *q)
{
	return atomic_fetch_add_explicit(&q->period, 1, memory_order_seq_cst) + 1;
}

/** s2_qsbr_over() - whether a grace period is over; never waits */
static inline bool s2_qsbr_over(struct s2_qsbr *q, uint64_t period)
{
	for (unsigned i = 0; i < q->n; i++) {
		uint64_t seen =
			atomic_load_explicit(&q->readers[i].seen, memory_order_seq_cst);

		if (seen && seen < period)
			return false;
	}
	return true;
}

/**
 * s2_qsbr_reclaim() - free what may be freed, begin a grace period for the rest
 * @q: the readers
 * @l: the caller's limbo
 * @s2: the instance its tables were detached from
 * @op: budget for s2_release(), or NULL
 *
 * It never waits. Call it regularly. The caller may be on line, but the period that
 * begins here is over only when the caller has been quiescent too.
 *
 * Return: true when nothing is left to free.
 */
static inline bool s2_qsbr_reclaim(struct s2_qsbr *q, struct s2_qsbr_limbo *l,
				   struct s2 *s2, struct s2_op *op)
{
	if (l->waiting.head) {
		if (!s2_qsbr_over(q, l->period) || s2_release(s2, &l->waiting, op))
			return false;
	}
	if (!l->filling.head)
		return true;
	l->waiting = l->filling;
	l->filling = (struct s2_limbo){ 0 };
	l->period = s2_qsbr_begin(q);
	return false;
}

#endif /* STAGE2_QSBR_H */
