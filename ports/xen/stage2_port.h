/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The porting header for Xen/arm64 (4.17). Calls that change tables are made with the
 * p2m lock held for writing, lookups with it held for reading, so no call runs beside
 * another.
 */
#ifndef STAGE2_XEN_PORT_H
#define STAGE2_XEN_PORT_H

#include <xen/domain_page.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <asm/page.h>
#include <asm/system.h>
#include <stage2/stage2.h>

#ifdef STAGE2_COUNT
#include "count.h"
#else
#define stage2_count(what, n) ((void)0)
#define stage2_clock_stop() ((void)0)
#define stage2_no_tlbi false
#endif

#define S2_ASSERT(cond) ASSERT(cond)

/*
 * One granule, 48-bit addresses. No shared calls, no annotations, no contiguous runs;
 * hardware writes no flags.
 */
#define S2_GRANULE_SHIFT PAGE_SHIFT
#define S2_USE_SHARED 0
#define S2_USE_HW 0
#define S2_USE_RUNS 0
#define S2_USE_NOTES 0
#define S2_USE_52BIT 0

/* Pages whose references wait for the end of a batch: of one hypercall's extents. */
#define STAGE2_WAITING 512

/**
 * struct stage2_batch - what one hypercall unmaps
 * @b: the engine's
 * @waiting: pages that the guest no longer has, and that are given back when the
 *	invalidation has completed; with bit 0 the allocation's reference too
 * @n: how many
 */
struct stage2_batch {
	struct s2_batch b;
	unsigned long waiting[STAGE2_WAITING];
	unsigned int n;
};

/**
 * struct stage2 - the engine's side of a struct p2m_domain
 * @s2: the instance
 * @p2m: Xen's side
 * @op: of the relinquish that was preempted
 * @limbo: tables that it has detached
 * @batch: open, or NULL; changed with the p2m lock held for writing
 * @owner: the PE of the hypercall that has opened it
 * @changes: how often the tables have been changed
 * @quiet: the running call's invalidation is left to p2m_write_unlock()
 * @unused: nothing is mapped, and what was has been invalidated
 * @failed: an IOMMU has not confirmed an invalidation. Pages of this domain's mappings
 *	are not given back any more
 * @vttbr, @irqs: what vmid_leave restores
 */
struct stage2 {
	struct s2 s2;
	struct p2m_domain *p2m;
	struct s2_op op;
	struct s2_limbo limbo;
	struct stage2_batch *batch;
	unsigned int owner;
	unsigned long changes;
	bool quiet, unused, failed;
	uint64_t vttbr;
	unsigned long irqs;
};

static inline bool stage2_quiet(const struct stage2 *t)
{
	return unlikely(t->quiet || stage2_no_tlbi);
}

/* ---- table pages ------------------------------------------------------------
 *
 * The two metadata words are the links of struct page_info: a table is on no list.
 */
static inline struct page_info *stage2_page(const uint64_t *table)
{
	return virt_to_page(table);
}

static inline uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	BUILD_BUG_ON(sizeof(stage2_page(table)->list) != 16);
	return (uint64_t *)&stage2_page(table)->list;
}

static inline uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	return page_to_maddr(stage2_page(table));
}

static inline uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	return mfn_to_virt(pa >> PAGE_SHIFT);
}

/* ---- entries ----------------------------------------------------------------
 *
 * An IOMMU may walk the tables without looking into the caches: clean_pte.
 */
static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	stage2_count(visits, 1);
	return read_atomic(entry);
}

static inline void stage2_stored(void *port, uint64_t *entry)
{
	struct stage2 *t = port;

	stage2_count(writes, 1);
	if (unlikely(t->p2m->clean_pte)) {
		stage2_count(dsb, 2);
		clean_dcache(*entry);
	}
}

static inline void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	write_atomic(entry, desc);
	stage2_stored(port, entry);
}

static inline void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	smp_wmb();
	write_atomic(entry, desc);
	stage2_stored(port, entry);
}

static inline uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old,
				   uint64_t desc)
{
	uint64_t found = cmpxchg(entry, old, desc);

	stage2_stored(port, entry);
	return found;
}

/* Under the lock no two calls use one word. */
static inline uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	return *word;
}

static inline uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	uint64_t old = *word;

	*word = old + n;
	return old;
}

static inline uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	uint64_t old = *word;

	*word = old | bits;
	return old;
}

static inline uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old,
					uint64_t new_value)
{
	uint64_t found = *word;

	if (found == old)
		*word = new_value;
	return found;
}

/* ---- barriers and TLBIs ----------------------------------------------------- */

static inline void s2_port_dsb_ishst(void *port)
{
	stage2_count(dsb, 1);
	asm volatile("dsb ishst" ::: "memory");
}

static inline void s2_port_dsb_ish(void *port)
{
	if (stage2_quiet(port))
		return;
	stage2_count(dsb, 1);
	asm volatile("dsb ish" ::: "memory");
}

static inline void s2_port_dsb_nsh(void *port)
{
	stage2_count(dsb, 1);
	asm volatile("dsb nsh" ::: "memory");
}

static inline void s2_port_dsb_sy(void *port)
{
	stage2_count(dsb, 1);
	asm volatile("dsb sy" ::: "memory");
}

static inline void s2_port_isb(void *port)
{
	isb();
}

/* TLBI IPAS2E1IS, Xt: op1 4, CRn 8, CRm 0, op2 1 */
static inline void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	if (stage2_quiet(port))
		return;
	stage2_count(ipa, 1);
	asm volatile("sys #4, c8, c0, #1, %0" ::"r"(operand) : "memory");
}

/* TLBI RIPAS2E1IS, Xt: op1 4, CRn 8, CRm 0, op2 2 (FEAT_TLBIRANGE) */
static inline void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	if (stage2_quiet(port))
		return;
	stage2_count(range, 1);
	asm volatile("sys #4, c8, c0, #2, %0" ::"r"(operand) : "memory");
}

static inline void s2_port_tlbi_vmalle1is(void *port)
{
	if (stage2_quiet(port))
		return;
	stage2_count(vmalle1, 1);
	asm volatile("tlbi vmalle1is" ::: "memory");
}

static inline void s2_port_tlbi_vmalls12e1is(void *port)
{
	if (stage2_quiet(port))
		return;
	stage2_count(vmid, 1);
	asm volatile("tlbi vmalls12e1is" ::: "memory");
}

/* Of s2_relax_perms(), which Xen does not call: a permission fault is the guest's. */
static inline void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	ASSERT_UNREACHABLE();
}

static inline void s2_port_tlbi_vmalle1(void *port)
{
	ASSERT_UNREACHABLE();
}

#endif /* STAGE2_XEN_PORT_H */
