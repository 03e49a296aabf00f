/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port for real threads: a pool of tables, C11 orders as src/port.h asks for
 * them, nothing behind barriers and invalidations.
 *
 * Tables are zeroed by plain stores (volatile, so that they stay stores, which
 * ThreadSanitizer watches): a table that is used again while somebody may still walk
 * it is a data race.
 */
#ifndef STAGE2_THREADS_PORT_H
#define STAGE2_THREADS_PORT_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S2_ASSERT(cond)                                                               \
	do {                                                                          \
		if (!(cond)) {                                                        \
			fprintf(stderr, "%s:%d: S2_ASSERT(%s)\n", __FILE__, __LINE__, \
				#cond);                                               \
			abort();                                                      \
		}                                                                     \
	} while (0)

#define POOL_PAGES 256u
#define POOL_PA UINT64_C(0x100000000)

struct pool {
	uint64_t (*page)[512]; /* aligned */
	uint64_t meta[POOL_PAGES][2];
	uint16_t free[POOL_PAGES];
	unsigned nfree;
	pthread_mutex_t lock;
	uint64_t gone; /* bytes of counted leaves */
};

static inline unsigned pool_index(const struct pool *p, const uint64_t *table)
{
	return (unsigned)((uintptr_t)table - (uintptr_t)p->page) / 4096;
}

static inline uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	return POOL_PA + 4096 * (uint64_t)pool_index(port, table);
}

static inline uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	static _Thread_local unsigned held;
	struct pool *p = port;

	/* Let others come in while this thread holds a pointer to a table. */
	if (!(++held % 8))
		sched_yield();
	S2_ASSERT(pa >= POOL_PA && pa < POOL_PA + POOL_PAGES * UINT64_C(4096));
	return p->page[(pa - POOL_PA) / 4096];
}

static inline uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	struct pool *p = port;

	return p->meta[pool_index(p, table)];
}

static inline uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	struct pool *p = port;
	uint64_t *table = NULL;

	(void)cookie;
	pthread_mutex_lock(&p->lock);
	if (p->nfree)
		table = p->page[p->free[--p->nfree]];
	pthread_mutex_unlock(&p->lock);
	if (!table)
		return NULL;
	for (unsigned i = 0; i < 512; i++)
		((volatile uint64_t *)table)[i] = 0;
	memset(s2_port_table_meta(port, table), 0, 16);
	return table;
}

static inline void s2_port_table_free(void *port, uint64_t *table)
{
	struct pool *p = port;

	pthread_mutex_lock(&p->lock);
	p->free[p->nfree++] = (uint16_t)pool_index(p, table);
	pthread_mutex_unlock(&p->lock);
}

static inline uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	S2_ASSERT(pages == 1);
	return s2_port_table_alloc(port, NULL);
}

static inline void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	(void)pages;
	s2_port_table_free(port, root);
}

/* What is read through a link comes after it: on Arm by the address dependency. */
static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	(void)port;
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

static inline void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELAXED);
}

static inline void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELEASE);
}

static inline uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old,
				   uint64_t desc)
{
	(void)port;
	__atomic_compare_exchange_n(entry, &old, desc, 0, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
	return old;
}

static inline uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	(void)port;
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	(void)port;
	return __atomic_fetch_add(word, n, __ATOMIC_ACQ_REL);
}

static inline uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	(void)port;
	return __atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL);
}

static inline uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old,
					uint64_t new_value)
{
	return s2_port_cas(port, word, old, new_value);
}

#define NOTHING(name)                       \
	static inline void name(void *port) \
	{                                   \
		(void)port;                 \
	}
#define NOTHING_1(name)                                       \
	static inline void name(void *port, uint64_t operand) \
	{                                                     \
		(void)port;                                   \
		(void)operand;                                \
	}

NOTHING(s2_port_vmid_enter)
NOTHING(s2_port_vmid_leave)
NOTHING(s2_port_dsb_ishst)
NOTHING(s2_port_dsb_nsh)
NOTHING(s2_port_dsb_sy)
NOTHING(s2_port_isb)
NOTHING(s2_port_tlbi_vmalle1is)
NOTHING(s2_port_tlbi_vmalle1)
NOTHING(s2_port_tlbi_vmalls12e1is)
NOTHING_1(s2_port_tlbi_ipas2e1is)
NOTHING_1(s2_port_tlbi_ipas2e1)
NOTHING_1(s2_port_tlbi_ripas2e1is)

/* It takes long on hardware, too: let others come in between a break and its end. */
static inline void s2_port_dsb_ish(void *port)
{
	(void)port;
	sched_yield();
}

static inline int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port;
	(void)ipa;
	(void)size;
	return 0;
}

static inline void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa,
				     uint64_t size, uint32_t attr)
{
	struct pool *p = port;

	(void)cookie;
	(void)ipa;
	(void)pa;
	(void)attr;
	__atomic_fetch_add(&p->gone, size, __ATOMIC_RELAXED);
}

static inline void s2_port_clean(void *port, uint64_t pa, uint64_t size, uint32_t attr)
{
	(void)port;
	(void)pa;
	(void)size;
	(void)attr;
}

static inline void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	(void)port;
	(void)pa;
	(void)size;
}

#endif /* STAGE2_THREADS_PORT_H */
