/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port for programs on the host: there is no MMU that walks the tables, so barriers,
 * TLBIs and cleans only count. It shows what the engine asks for. Threads may share it.
 * The port for a machine is examples/bare/port.c with ports/template/stage2_port.h.
 */
#ifndef EXAMPLES_HOST_PORT_H
#define EXAMPLES_HOST_PORT_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <stage2/stage2.h>

#define S2_ASSERT(cond) assert(cond)

/* What has happened; s2_config.port points to it. */
struct host_port {
	uint64_t tables, tlbis, dsbs, cleaned;
};

/* ---- tables: memory of the C library; the PA of a table is its address --------- */

#define HOST_PAGE UINT64_C(4096)
/* The two words of a page lie so far behind it, as a root has up to 16 pages. */
#define HOST_META (16 * HOST_PAGE)

static inline void host_add(uint64_t *count, uint64_t n)
{
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
}

static inline uint64_t *s2_port_root_alloc(void *port, unsigned pages)
{
	uint64_t *root = aligned_alloc(pages * HOST_PAGE, HOST_META + pages * HOST_PAGE);

	if (!root)
		return NULL;
	host_add(&((struct host_port *)port)->tables, pages);
	return memset(root, 0, HOST_META + pages * HOST_PAGE);
}

static inline void s2_port_root_free(void *port, uint64_t *root, unsigned pages)
{
	host_add(&((struct host_port *)port)->tables, (uint64_t)0 - pages);
	free(root);
}

static inline uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	(void)cookie;
	return s2_port_root_alloc(port, 1);
}

static inline void s2_port_table_free(void *port, uint64_t *table)
{
	s2_port_root_free(port, table, 1);
}

static inline uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	(void)port;
	return table + HOST_META / sizeof(*table);
}

static inline uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	(void)port;
	return (uintptr_t)table;
}

static inline uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	(void)port;
	return (uint64_t *)(uintptr_t)pa;
}

/* ---- entries and words ----------------------------------------------------------- */

static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	(void)port;
	return __atomic_load_n(entry, __ATOMIC_CONSUME);
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
	__atomic_compare_exchange_n(entry, &old, desc, false, __ATOMIC_ACQ_REL,
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

/* ---- barriers, TLBIs, caches: counted ---------------------------------------- */

#define HOST_COUNTS(name, what)                                 \
	static inline void name(void *port)                     \
	{                                                       \
		host_add(&((struct host_port *)port)->what, 1); \
	}
#define HOST_TLBI(name)                                          \
	static inline void name(void *port, uint64_t operand)    \
	{                                                        \
		(void)operand;                                   \
		host_add(&((struct host_port *)port)->tlbis, 1); \
	}
#define HOST_NOTHING(name)                  \
	static inline void name(void *port) \
	{                                   \
		(void)port;                 \
	}

HOST_COUNTS(s2_port_dsb_ishst, dsbs)
HOST_COUNTS(s2_port_dsb_ish, dsbs)
HOST_COUNTS(s2_port_dsb_sy, dsbs)
HOST_COUNTS(s2_port_dsb_nsh, dsbs)
HOST_COUNTS(s2_port_tlbi_vmalle1is, tlbis)
HOST_COUNTS(s2_port_tlbi_vmalls12e1is, tlbis)
HOST_COUNTS(s2_port_tlbi_vmalle1, tlbis)
HOST_TLBI(s2_port_tlbi_ipas2e1is)
HOST_TLBI(s2_port_tlbi_ripas2e1is)
HOST_TLBI(s2_port_tlbi_ipas2e1)
HOST_NOTHING(s2_port_isb)
HOST_NOTHING(s2_port_vmid_enter)
HOST_NOTHING(s2_port_vmid_leave)

static inline int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	(void)port, (void)ipa, (void)size;
	return 0;
}

static inline void s2_port_leaf_gone(void *port, void *cookie, uint64_t ipa, uint64_t pa,
				     uint64_t size, s2_attr_t attr)
{
	(void)port, (void)cookie, (void)ipa, (void)pa, (void)size, (void)attr;
}

static inline void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	(void)pa, (void)attr;
	host_add(&((struct host_port *)port)->cleaned, size);
}

static inline void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	(void)port, (void)pa, (void)size;
}

#endif /* EXAMPLES_HOST_PORT_H */
