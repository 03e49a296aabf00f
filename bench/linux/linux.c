// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Linux's stage-2 tables as a side. Table pages and their reference counts as KVM
 * has them, but in a dense array of counters where KVM has a struct page each,
 * which is to Linux's advantage.
 */
#include <string.h>

#include <asm/kvm_pgtable.h>

#include "side.h"

struct shim_counts shim;
bool shim_fwb, shim_tlbirange;

static struct arena arena;
static int *refs; /* by page of the arena */
static unsigned ipa_bits;
static struct kvm_pgtable pgt;
static struct kvm_s2_mmu mmu = { .pgt = &pgt, .split_page_cache = { INT32_MAX } };
static bool pages_only;

static const u64 base = UINT64_C(1) << 32; /* PA of the arena */

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* ---- memory ---- */

static int *ref(void *addr)
{
	return &refs[((u64)((unsigned char *)addr - arena.mem)) >> PAGE_SHIFT];
}

static void *zalloc_page(void *cache)
{
	void *page;

	(void)cache;
	if (!__atomic_load_n(&arena.nfree, __ATOMIC_RELAXED))
		return NULL;
	page = arena_page(
		&arena,
		arena.free[__atomic_sub_fetch(&arena.nfree, 1, __ATOMIC_RELAXED)]);
	__atomic_store_n(ref(page), 1, __ATOMIC_RELAXED);
	return page;
}

static void *zalloc_pages_exact(size_t size)
{
	memset(arena.mem, 0, size);
	refs[0] = 1;
	for (size_t i = 0; i < size >> PAGE_SHIFT; i++)
		refs[i] = 1;
	return arena.mem;
}

static void free_pages_exact(void *addr, size_t size)
{
	(void)addr;
	(void)size;
}

static void get_page(void *addr)
{
	__atomic_fetch_add(ref(addr), 1, __ATOMIC_RELAXED);
}

static void put_page(void *addr)
{
	int *r = ref(addr);

	if (__atomic_sub_fetch(r, 1, __ATOMIC_ACQ_REL) == 0)
		arena.freed[arena.nfreed++] = (uint32_t)(r - refs);
}

static int page_count(void *addr)
{
	return __atomic_load_n(ref(addr), __ATOMIC_RELAXED);
}

static void *phys_to_virt(phys_addr_t pa)
{
	return arena.mem + (pa - base);
}

static phys_addr_t virt_to_phys(void *addr)
{
	return (u64)((unsigned char *)addr - arena.mem) + base;
}

/* KVM's does nothing with FWB; else each clean ends with a DSB SY. */
static void dcache_clean_inval_poc(void *addr, size_t size)
{
	(void)addr;
	if (shim_fwb)
		return;
	SHIM_ADD(clean_calls, 1);
	SHIM_ADD(clean_bytes, size);
	SHIM_ADD(dsb, 1);
	(void)size;
}

static void icache_inval_pou(void *addr, size_t size)
{
	(void)addr;
	(void)size;
}

static void free_unlinked_table(void *addr, s8 level);

static struct kvm_pgtable_mm_ops mm_ops = {
	.zalloc_page = zalloc_page,
	.zalloc_pages_exact = zalloc_pages_exact,
	.free_pages_exact = free_pages_exact,
	.free_unlinked_table = free_unlinked_table,
	.get_page = get_page,
	.put_page = put_page,
	.page_count = page_count,
	.phys_to_virt = phys_to_virt,
	.virt_to_phys = virt_to_phys,
	.dcache_clean_inval_poc = dcache_clean_inval_poc,
	.icache_inval_pou = icache_inval_pou,
};

/* KVM does this by RCU, a little later: it is part of the cost. */
static void free_unlinked_table(void *addr, s8 level)
{
	kvm_pgtable_stage2_free_unlinked(&mm_ops, addr, level);
}

static bool force_pte(u64 addr, u64 end, enum kvm_pgtable_prot prot)
{
	(void)addr;
	(void)end;
	(void)prot;
	return pages_only;
}

/* ---- the side ---- */

static void linux_reset(void)
{
	arena_reset(&arena);
	shim = (struct shim_counts){ 0 };
	mmu.vtcr = kvm_get_vtcr(ID_AA64MMFR0_EL1_PARANGE_48, 0, ipa_bits);
	must(!__kvm_pgtable_stage2_init(&pgt, &mmu, &mm_ops, 0, force_pte));
}

static void linux_open(const struct bench_config *cfg)
{
	arena_open(&arena, cfg->tables, cfg->seed);
	refs = calloc(arena.pages, sizeof(*refs));
	must(refs);
	memset(refs, 0, arena.pages * sizeof(*refs));
	shim_fwb = cfg->features & BENCH_FWB;
	shim_tlbirange = cfg->features & BENCH_TLBIRANGE;
	ipa_bits = cfg->ipa_bits;
	linux_reset();
}

static void linux_close(void)
{
	free(refs);
	arena_close(&arena);
}

static void linux_map(u64 ipa, u64 pa, u64 size, bool pages)
{
	pages_only = pages;
	must(!kvm_pgtable_stage2_map(&pgt, ipa, size, pa, KVM_PGTABLE_PROT_RW, &mmu, 0));
}

static void linux_fault(u64 ipa, u64 pa)
{
	must(!kvm_pgtable_stage2_map(&pgt, ipa, PAGE_SIZE, pa, KVM_PGTABLE_PROT_RW, &mmu,
				     KVM_PGTABLE_WALK_HANDLE_FAULT |
					     KVM_PGTABLE_WALK_SHARED));
}

static void linux_unmap(u64 ipa, u64 size)
{
	must(!kvm_pgtable_stage2_unmap(&pgt, ipa, size));
}

/* KVM's callers flush the range afterwards, by one range where there are such. */
static void linux_wrprotect(u64 ipa, u64 size)
{
	must(!kvm_pgtable_stage2_wrprotect(&pgt, ipa, size));
	kvm_tlb_flush_vmid_range(&mmu, ipa, size);
}

static bool linux_age(u64 ipa, u64 size)
{
	return kvm_pgtable_stage2_test_clear_young(&pgt, ipa, size, true);
}

static void linux_mkyoung(u64 ipa)
{
	kvm_pgtable_stage2_mkyoung(&pgt, ipa);
}

static void linux_relax(u64 ipa)
{
	must(!kvm_pgtable_stage2_relax_perms(&pgt, ipa, KVM_PGTABLE_PROT_W));
}

static void linux_split(u64 ipa, u64 size)
{
	must(!kvm_pgtable_stage2_split(&pgt, ipa, size, &mmu.split_page_cache));
}

static void linux_destroy(void)
{
	kvm_pgtable_stage2_destroy(&pgt);
}

/* The only way Linux has: map a block over the table. */
static void linux_collapse(u64 ipa, u64 pa, u64 size)
{
	linux_map(ipa, pa, size, false);
}

static u64 linux_lookup(u64 ipa)
{
	kvm_pte_t pte = 0;
	s8 level = 0;

	must(!kvm_pgtable_get_leaf(&pgt, ipa, &pte, &level));
	return kvm_pte_to_phys(pte) + (ipa & (kvm_granule_size(level) - 1));
}

static void linux_counts(struct bench_counts *c)
{
	*c = (struct bench_counts){
		.reads = shim.reads,
		.writes = shim.writes,
		.tlbi = shim.tlbi,
		.dsb = shim.dsb,
		.isb = shim.isb,
		.clean_calls = shim.clean_calls,
		.clean_bytes = shim.clean_bytes,
		.taken = arena.pages - ARENA_ROOT - arena.nfree,
		.freed = arena.nfreed,
	};
}

const struct bench_side bench_linux = {
	.name = "linux",
	.open = linux_open,
	.reset = linux_reset,
	.close = linux_close,
	.map = linux_map,
	.fault = linux_fault,
	.unmap = linux_unmap,
	.wrprotect = linux_wrprotect,
	.age = linux_age,
	.mkyoung = linux_mkyoung,
	.relax = linux_relax,
	.split = linux_split,
	.collapse = linux_collapse,
	.remap = linux_collapse,
	.destroy = linux_destroy,
	.lookup = linux_lookup,
	.counts = linux_counts,
};
