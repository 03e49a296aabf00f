/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The porting header for KVM/arm64: the stage-2 tables of the host, with VHE
 * and nVHE. The code that pKVM builds for EL2 stays with the stock functions.
 */
#ifndef STAGE2_LINUX_PORT_H
#define STAGE2_LINUX_PORT_H

#include <linux/bug.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/tlbflush.h>
#include <stage2/stage2.h>

#include "compat.h"

#define S2_ASSERT(cond) WARN_ON_ONCE(!(cond))

/*
 * KVM opens no batch, makes no contiguous runs, annotates and counts nothing. It has
 * LPA2.
 */
#define S2_PROFILE S2_PROFILE_HYPERVISOR
#define S2_USE_COUNTED 0
#define S2_USE_52BIT 1

/* One granule for every VM, that of the host. */
#define S2_GRANULE_SHIFT PAGE_SHIFT

/**
 * struct stage2_tables - the engine's side of a struct kvm_pgtable
 * @mm_ops: a copy of the caller's operations. pgt->mm_ops points here. A kvm_pgtable has
 *	no spare field, so this is how it leads to this structure.
 * @s2: the instance
 * @layout: the instance as it was made, for releasing tables while calls on the
 *	instance itself run
 * @pgt: KVM's side. It leads to the mmu with the VMID for the invalidations
 * @dirty: the bitmap, if hardware logs dirty pages
 * @quiet: the caller of the running exclusive call invalidates (wrprotect)
 * @splitting: the running exclusive call takes no table but from its cache
 * @unlinked: @s2 belongs to no VM: its root is a single table
 * @list: all instances, for debugfs
 * @dumping: held while debugfs reads the tables; protects @gone
 * @gone: the VM has ended
 * @refs: one reference of the pgtable, and one while tables wait for a grace period
 * @limbo_lock: protects all fields below
 * @fresh: detached since the running grace period began
 * @waiting: detached before it began
 * @nfresh, @nwaiting: how many tables are on these lists and below, at most
 * @reclaiming: a grace period is running, or @waiting is being freed
 * @ended: the pgtable is gone, and the worker destroys @s2, unless it is @destroyed
 * @work: frees @waiting
 */
struct stage2_tables {
	struct kvm_pgtable_mm_ops mm_ops;
	struct s2 s2, layout;
	struct kvm_pgtable *pgt;
	struct stage2_dirty *dirty;
	bool quiet, splitting, unlinked;
	struct list_head list;
	struct mutex dumping;
	bool gone;
	refcount_t refs;

	spinlock_t limbo_lock;
	struct s2_limbo fresh, waiting;
	u64 nfresh, nwaiting;
	bool reclaiming, ended, destroyed;
	struct rcu_work work;
};

#include "glue.h"

int stage2_dirty_init(struct stage2_tables *t, struct kvm_s2_mmu *mmu, u32 *features);
bool stage2_dirty_page(struct stage2_tables *t, u64 size, s2_attr_t attr);
bool stage2_dirty_block(struct stage2_tables *t, u64 ipa, u64 size);
void stage2_dirty_split(struct stage2_tables *t, u64 addr, u64 size);
u64 stage2_dirty_relax(struct stage2_tables *t, u64 ipa, u64 d, int level);
int stage2_dirty_unmap(struct stage2_tables *t, u64 start, u64 size, struct s2_op *op);
int stage2_dirty_wrprotect(struct stage2_tables *t, u64 start, u64 size);

#ifdef CONFIG_DEBUG_FS
void stage2_debugfs_add(struct stage2_tables *t);
void stage2_debugfs_del(struct stage2_tables *t);
#else
static inline void stage2_debugfs_add(struct stage2_tables *t)
{
}
static inline void stage2_debugfs_del(struct stage2_tables *t)
{
}
#endif

/* Only a kernel built for tests can leave invalidation or harvest out: test.c. */
#ifdef STAGE2_TEST
extern bool stage2_test_no_tlbi, stage2_test_no_harvest;
/* Of the VM that was made last, with a reference to it. */
struct stage2_tables *stage2_debugfs_last(void);
#else
#define stage2_test_no_tlbi false
#define stage2_test_no_harvest false
#endif

static inline bool stage2_quiet(const struct stage2_tables *t)
{
	return t->quiet || unlikely(stage2_test_no_tlbi);
}

/* ---- table pages ------------------------------------------------------------
 *
 * The two metadata words are page->index (which has been renamed: compat.h) and
 * page->private. A table page is neither file nor anonymous memory, is on no list and has
 * no buffers, so nobody else uses these fields. They are neighbours, and do not overlap
 * rcu_head, lru or mapping (which must be NULL when the page is freed). Nobody clears
 * index, so the allocation does.
 */
static inline uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	struct page *page = virt_to_page(table);

	BUILD_BUG_ON(sizeof(page->stage2_page_index) != 8 || sizeof(page->private) != 8);
	BUILD_BUG_ON(offsetof(struct page, private) !=
		     offsetof(struct page, stage2_page_index) + 8);
	return (uint64_t *)&page->stage2_page_index;
}

static inline void stage2_meta_clear(uint64_t *table)
{
	uint64_t *meta = s2_port_table_meta(NULL, table);

	meta[0] = meta[1] = 0;
}

static inline uint64_t s2_port_table_pa(void *port, uint64_t *table)
{
	return virt_to_phys(table);
}

static inline uint64_t *s2_port_table_va(void *port, uint64_t pa)
{
	return phys_to_virt(pa);
}

/* ---- entries ---------------------------------------------------------------- */

static inline uint64_t s2_port_load(void *port, const uint64_t *entry)
{
	return READ_ONCE(*entry);
}

static inline void s2_port_store(void *port, uint64_t *entry, uint64_t desc)
{
	WRITE_ONCE(*entry, desc);
}

static inline void s2_port_store_release(void *port, uint64_t *entry, uint64_t desc)
{
	smp_store_release(entry, desc);
}

/* Fully ordered, which includes acquire and release. */
static inline uint64_t s2_port_cas(void *port, uint64_t *entry, uint64_t old,
				   uint64_t desc)
{
	return cmpxchg(entry, old, desc);
}

static inline uint64_t s2_port_word_load(void *port, const uint64_t *word)
{
	return READ_ONCE(*word);
}

static inline uint64_t s2_port_word_cas(void *port, uint64_t *word, uint64_t old,
					uint64_t new_value)
{
	return cmpxchg(word, old, new_value);
}

static inline uint64_t s2_port_word_add(void *port, uint64_t *word, uint64_t n)
{
	return atomic64_fetch_add(n, (atomic64_t *)word);
}

static inline uint64_t s2_port_word_or(void *port, uint64_t *word, uint64_t bits)
{
	return atomic64_fetch_or(bits, (atomic64_t *)word);
}

/* ---- barriers and TLBIs -----------------------------------------------------
 *
 * With VHE the host is at EL2 and each function is an instruction. Without VHE the host
 * is at EL1, where there is no TLBI for a guest. The TLBIs by address that the engine
 * issues are then collected, and go to EL2 as one hypercall, in place of the VMALLE1IS
 * (for one PE: VMALLE1) that the engine issues after every TLBI by address (port.c).
 */
static inline void s2_port_dsb_ishst(void *port)
{
	if (!stage2_quiet(port))
		dsb(ishst);
}

static inline void s2_port_dsb_ish(void *port)
{
	if (!stage2_quiet(port))
		dsb(ish);
}

static inline void s2_port_dsb_nsh(void *port)
{
	if (!stage2_quiet(port))
		dsb(nsh);
}

static inline void s2_port_dsb_sy(void *port)
{
	dsb(sy);
}

static inline void s2_port_isb(void *port)
{
	if (!stage2_quiet(port))
		isb();
}

/*
 * Where the kernel's __tlbi() repeats itself on CPUs that need it, the engine need not.
 * Later kernels repeat at the barrier. (Without VHE, EL2 does it.)
 */
#ifdef __repeat_tlbi_sync
#define STAGE2_REPEATS_TLBI 1
#else
#define STAGE2_REPEATS_TLBI 0
#endif

void stage2_vmid_enter(struct stage2_tables *t);
void stage2_vmid_leave(struct stage2_tables *t);
void stage2_nvhe_collect_ipa(uint64_t operand);
void stage2_nvhe_collect_range(uint64_t operand);
void stage2_nvhe_flush(struct stage2_tables *t);
void stage2_nvhe_flush_local(struct stage2_tables *t);
void stage2_nvhe_flush_all(struct stage2_tables *t);

static inline void s2_port_vmid_enter(void *port)
{
	if (!stage2_quiet(port))
		stage2_vmid_enter(port);
}

static inline void s2_port_vmid_leave(void *port)
{
	if (!stage2_quiet(port))
		stage2_vmid_leave(port);
}

static inline void s2_port_tlbi_ipas2e1is(void *port, uint64_t operand)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(ipas2e1is, operand);
	else
		stage2_nvhe_collect_ipa(operand);
}

static inline void s2_port_tlbi_ripas2e1is(void *port, uint64_t operand)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(ripas2e1is, operand);
	else
		stage2_nvhe_collect_range(operand);
}

static inline void s2_port_tlbi_vmalle1is(void *port)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(vmalle1is);
	else
		stage2_nvhe_flush(port);
}

static inline void s2_port_tlbi_ipas2e1(void *port, uint64_t operand)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(ipas2e1, operand);
	else
		stage2_nvhe_collect_ipa(operand);
}

static inline void s2_port_tlbi_vmalle1(void *port)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(vmalle1);
	else
		stage2_nvhe_flush_local(port);
}

static inline void s2_port_tlbi_vmalls12e1is(void *port)
{
	if (stage2_quiet(port))
		return;
	if (has_vhe())
		__tlbi(vmalls12e1is);
	else
		stage2_nvhe_flush_all(port);
}

/* No other agent walks the tables of KVM: an SMMU has its own. */
static inline int s2_port_agents_invalidate(void *port, uint64_t ipa, uint64_t size)
{
	return 0;
}

#endif /* STAGE2_LINUX_PORT_H */
