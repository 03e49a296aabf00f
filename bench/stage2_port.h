/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port that counts: TLBIs, barriers and cleans are counters, table pages come
 * from one arena. For benchmarks, and for tests that want many operations and
 * only the tables' content judged. Not thread-safe; with COUNT_PORT_THREADS (and
 * COUNT_PORT_ZEROED) it is, but does not count.
 */
#ifndef STAGE2_BENCH_PORT_H
#define STAGE2_BENCH_PORT_H

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

/*
 * With COUNT_PORT_RECORD a test may look at every event as it happens: entries by
 * their PA, a write before it is done, an invalidation by its operand. In the hook
 * it may call the engine, as another PE would.
 */
#ifdef COUNT_PORT_RECORD
enum count_event {
	COUNT_LOAD,
	COUNT_STORE,
	COUNT_STORE_RELEASE,
	COUNT_CAS,
	COUNT_DSB_ISHST,
	COUNT_DSB_ISH,
	COUNT_DSB_SY,
	COUNT_DSB_NSH,
	COUNT_ISB,
	COUNT_IPAS2E1,
	COUNT_VMALLE1,
	COUNT_IPAS2E1IS,
	COUNT_RIPAS2E1IS,
	COUNT_VMALLE1IS,
	COUNT_VMALLS12E1IS,
	COUNT_AGENTS,
	COUNT_CLEAN,
	COUNT_GONE,
	COUNT_EXECUTABLE,
	COUNT_ALLOC,
	COUNT_FREE,
	COUNT_ROOT_FREE,
	COUNT_VMID_ENTER,
	COUNT_VMID_LEAVE,
	COUNT_WORD, /* any access to a state word or a counter, before it is done */
};
#define COUNT_PORT_EVENT(port, what, at, value)                \
	do {                                                   \
		struct count_port *port_ = (port);             \
		if (port_->record)                             \
			port_->record(port_, what, at, value); \
	} while (0)
/* What is there just before the write, which the hook for the event may have changed. */
#define COUNT_PORT_OLD(entry) uint64_t old_ = *(entry)
#define COUNT_PORT_WROTE(port, entry, desc)                                           \
	do {                                                                          \
		struct count_port *port_ = (port);                                    \
		if (port_->wrote)                                                     \
			port_->wrote(port_, count_port_pa(port_, entry), old_, desc); \
	} while (0)
#else
#define COUNT_PORT_EVENT(port, what, at, value) ((void)0)
#define COUNT_PORT_OLD(entry) ((void)0)
#define COUNT_PORT_WROTE(port, entry, desc) ((void)0)
#endif

#ifdef COUNT_PORT_THREADS
#define COUNT_PORT_COUNT(what) ((void)0)
#define COUNT_PORT_TAKE(n) __atomic_sub_fetch(&(n), 1, __ATOMIC_RELAXED)
#define COUNT_PORT_GIVE(n) __atomic_fetch_add(&(n), 1, __ATOMIC_RELAXED)
#else
#define COUNT_PORT_COUNT(what) ((void)(what))
#define COUNT_PORT_TAKE(n) (--(n))
#define COUNT_PORT_GIVE(n) ((n)++)
#endif

/**
 * struct count_port - the arena and the counters
 * @arena: memory of @pages pages of 1 << @shift bytes (the granule), as aligned; a
 *	table's PA is its offset + BASE
 * @meta: two words a page
 * @free: stack of free page numbers, @nfree of them
 * @freed: with COUNT_PORT_ZEROED, where pages go that are given back, @nfreed of
 *	them: those on @free are zero, and whoever measures keeps them so (arena.h)
 * @fail_after: fail the allocation when it has counted down to 0; -1: never
 * @clean_attr: of the last clean
 * @gone: counted leaves that have gone; @last: the last of them
 * @record: called at every event, when not NULL
 * @wrote: called after every write of an entry that was done, when not NULL
 * @agents_fail: what the hook for other agents returns; @record may set it at the event
 */
struct count_port {
	unsigned char *arena;
	uint64_t *meta;
	uint32_t *free;
	uint64_t pages, nfree;
#ifdef COUNT_PORT_ZEROED
	uint32_t *freed;
	uint64_t nfreed;
#endif
	unsigned shift;
	long fail_after;
	uint64_t tlbi, dsb, isb, clean_bytes, clean_calls, exec_bytes, agents;
	uint32_t clean_attr;
	uint64_t gone;
	struct count_gone {
		void *cookie;
		uint64_t ipa, pa, size;
		uint32_t attr;
	} last;
#ifdef COUNT_PORT_RECORD
	void (*record)(struct count_port *port, enum count_event what, uint64_t at,
		       uint64_t value);
	void (*wrote)(struct count_port *port, uint64_t at, uint64_t old, uint64_t desc);
	int agents_fail;
#endif
};

#ifndef COUNT_PORT_BASE
#define COUNT_PORT_BASE UINT64_C(0x100000000)
#endif

static inline uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	struct count_port *p = port;

	return (uint64_t)((unsigned char *)table - p->arena) + COUNT_PORT_BASE;
}

static inline uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	struct count_port *p = port;

	return (uint64_t *)(void *)(p->arena + (pa - COUNT_PORT_BASE));
}

static inline uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	struct count_port *p = port;

	return &p->meta[2 * ((uint64_t)((unsigned char *)table - p->arena) >> p->shift)];
}

static inline uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	struct count_port *p = port;
	uint64_t page;

	(void)cookie;
	if (p->fail_after >= 0 && p->fail_after-- == 0)
		return NULL;
	if (!__atomic_load_n(&p->nfree, __ATOMIC_RELAXED))
		return NULL;
	page = p->free[COUNT_PORT_TAKE(p->nfree)];
#ifndef COUNT_PORT_ZEROED
	memset(p->arena + (page << p->shift), 0, (size_t)1 << p->shift);
#endif
	p->meta[2 * page] = p->meta[2 * page + 1] = 0;
	COUNT_PORT_EVENT(p, COUNT_ALLOC, (page << p->shift) + COUNT_PORT_BASE,
			 (uint64_t)(uintptr_t)cookie);
	return (uint64_t *)(void *)(p->arena + (page << p->shift));
}

static inline void s2_port_table_free(void *port, uint64_t *table)
{
	struct count_port *p = port;
	uint64_t page = (uint64_t)((unsigned char *)table - p->arena) >> p->shift;

	COUNT_PORT_EVENT(p, COUNT_FREE, s2_port_table_pa(port, table), 0);
#ifdef COUNT_PORT_ZEROED
	p->freed[COUNT_PORT_GIVE(p->nfreed)] = (uint32_t)page;
#else
	p->free[p->nfree++] = (uint32_t)page;
#endif
}

/* The root is the first 16 pages of the arena, which are never on the stack. */
static inline uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	struct count_port *p = port;

	if (p->fail_after >= 0 && p->fail_after-- == 0)
		return NULL;
	memset(p->arena, 0, (size_t)pages << p->shift);
	memset(p->meta, 0, 2 * pages * sizeof(*p->meta));
	return (uint64_t *)(void *)p->arena;
}

static inline void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	COUNT_PORT_EVENT(port, COUNT_ROOT_FREE, s2_port_table_pa(port, root), pages);
	(void)port;
	(void)root;
	(void)pages;
}

/* An entry is addressed through a pointer to const when it is only read. */
static inline uint64_t count_port_pa(const struct count_port *p, const void *entry)
{
	return (uint64_t)((const unsigned char *)entry - p->arena) + COUNT_PORT_BASE;
}

static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	uint64_t desc = __atomic_load_n(entry, __ATOMIC_RELAXED);

	COUNT_PORT_EVENT(port, COUNT_LOAD, count_port_pa(port_, entry), desc);
	(void)port;
	return desc;
}

static inline void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	COUNT_PORT_EVENT(port, COUNT_STORE, count_port_pa(port_, entry), desc);
	COUNT_PORT_OLD(entry);
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELAXED);
	COUNT_PORT_WROTE(port, entry, desc);
}

static inline void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	COUNT_PORT_EVENT(port, COUNT_STORE_RELEASE, count_port_pa(port_, entry), desc);
	COUNT_PORT_OLD(entry);
	(void)port;
	__atomic_store_n(entry, desc, __ATOMIC_RELEASE);
	COUNT_PORT_WROTE(port, entry, desc);
}

static inline uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old,
				   uint64_t desc)
{
	COUNT_PORT_EVENT(port, COUNT_CAS, count_port_pa(port_, entry), desc);
	COUNT_PORT_OLD(entry);
	(void)port;
	if (__atomic_compare_exchange_n(entry, &old, desc, 0, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		COUNT_PORT_WROTE(port, entry, desc);
	return old;
}

static inline uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	COUNT_PORT_EVENT(port, COUNT_WORD, 0, 0);
	(void)port;
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	COUNT_PORT_EVENT(port, COUNT_WORD, 0, 0);
	(void)port;
	return __atomic_fetch_add(word, n, __ATOMIC_ACQ_REL);
}

static inline uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	COUNT_PORT_EVENT(port, COUNT_WORD, 0, 0);
	(void)port;
	return __atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL);
}

static inline uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old,
					uint64_t new_value)
{
	COUNT_PORT_EVENT(port, COUNT_WORD, 0, 0);
	(void)port;
	__atomic_compare_exchange_n(word, &old, new_value, 0, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
	return old;
}

#define COUNT_PORT_PLAIN(name, what, count)      \
	static inline void name(void *port)      \
	{                                        \
		struct count_port *p = port;     \
                                                 \
		COUNT_PORT_EVENT(p, what, 0, 0); \
		(void)p;                         \
		COUNT_PORT_COUNT(count);         \
	}

COUNT_PORT_PLAIN(s2_port_vmid_enter, COUNT_VMID_ENTER, (void)0)
COUNT_PORT_PLAIN(s2_port_vmid_leave, COUNT_VMID_LEAVE, (void)0)
COUNT_PORT_PLAIN(s2_port_dsb_ishst, COUNT_DSB_ISHST, p->dsb++)
COUNT_PORT_PLAIN(s2_port_dsb_ish, COUNT_DSB_ISH, p->dsb++)
COUNT_PORT_PLAIN(s2_port_dsb_sy, COUNT_DSB_SY, p->dsb++)
COUNT_PORT_PLAIN(s2_port_dsb_nsh, COUNT_DSB_NSH, p->dsb++)
COUNT_PORT_PLAIN(s2_port_tlbi_vmalle1, COUNT_VMALLE1, p->tlbi++)
COUNT_PORT_PLAIN(s2_port_isb, COUNT_ISB, p->isb++)
COUNT_PORT_PLAIN(s2_port_tlbi_vmalle1is, COUNT_VMALLE1IS, p->tlbi++)
COUNT_PORT_PLAIN(s2_port_tlbi_vmalls12e1is, COUNT_VMALLS12E1IS, p->tlbi++)

static inline void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	COUNT_PORT_EVENT(port, COUNT_IPAS2E1IS, 0, operand);
	(void)operand;
	(void)port;
	COUNT_PORT_COUNT(((struct count_port *)port)->tlbi++);
}

static inline void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	COUNT_PORT_EVENT(port, COUNT_IPAS2E1, 0, operand);
	(void)operand;
	(void)port;
	COUNT_PORT_COUNT(((struct count_port *)port)->tlbi++);
}

static inline void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	COUNT_PORT_EVENT(port, COUNT_RIPAS2E1IS, 0, operand);
	(void)operand;
	(void)port;
	COUNT_PORT_COUNT(((struct count_port *)port)->tlbi++);
}

static inline int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	COUNT_PORT_EVENT(port, COUNT_AGENTS, ipa, size);
	(void)ipa;
	(void)size;
	(void)port;
	COUNT_PORT_COUNT(((struct count_port *)port)->agents++);
#ifdef COUNT_PORT_RECORD
	return ((struct count_port *)port)->agents_fail;
#else
	return 0;
#endif
}

static inline void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa,
				     uint64_t size, uint32_t attr)
{
	struct count_port *p = port;

	/* Where nothing is counted they are unused. */
	(void)p, (void)cookie, (void)ipa, (void)pa, (void)size, (void)attr;
	COUNT_PORT_COUNT(p->gone++);
	COUNT_PORT_COUNT(p->last = ((struct count_gone){ cookie, ipa, pa, size, attr }));
	COUNT_PORT_EVENT(p, COUNT_GONE, ipa, size);
}

static inline void s2_port_clean(void *port, uint64_t pa, uint64_t size, uint32_t attr)
{
	struct count_port *p = port;

	p->clean_attr = attr;
	COUNT_PORT_EVENT(p, COUNT_CLEAN, pa, size);
	(void)pa;
	p->clean_bytes += size;
	p->clean_calls++;
}

static inline void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	COUNT_PORT_EVENT(port, COUNT_EXECUTABLE, pa, size);
	(void)pa;
	((struct count_port *)port)->exec_bytes += size;
}

#endif /* STAGE2_BENCH_PORT_H */
