/* SPDX-License-Identifier: GPL-2.0-only */
/* A side: the functions of the file that has been included before, and memory. */
#include <stdio.h>
#include <string.h>

#include "ports/linux/compat.h"
#include "side.h"

struct shim_counts shim;
bool shim_fwb, shim_tlbirange, shim_xnx;

#define PAGES 256
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

static unsigned char arena[PAGES * PAGE_SIZE]
	__attribute__((__aligned__(16 * PAGE_SIZE)));
static int refs[PAGES];
static uint64_t taken;
static struct kvm_pgtable pgt;
#ifdef STAGE2_TESTS_DIFF_PORT_H
static struct kvm vm = { .arch.mmu = { .pgt = &pgt, .split_page_cache = { INT32_MAX } } };
#else
static struct {
	struct {
		struct kvm_s2_mmu mmu;
	} arch;
} vm = { .arch.mmu = { .pgt = &pgt, .split_page_cache = { INT32_MAX } } };
#endif

static const u64 base = HIGH + (UINT64_C(1) << 32); /* PA of the arena */

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int *ref(void *page)
{
	return &refs[((unsigned char *)page - arena) / PAGE_SIZE];
}

static void *zalloc_page(void *cache)
{
	(void)cache;
	for (int i = 16; i < PAGES; i++)
		if (!refs[i]) {
			refs[i] = 1;
			taken++;
			return memset(arena + i * PAGE_SIZE, 0, PAGE_SIZE);
		}
	return NULL;
}

static void *zalloc_pages_exact(size_t size)
{
	for (size_t i = 0; i < size / PAGE_SIZE; i++)
		refs[i] = 1;
	return memset(arena, 0, size);
}

static void free_pages_exact(void *at, size_t size)
{
	(void)at, (void)size;
}

static void get_page(void *page)
{
	++*ref(page);
}

static void put_page(void *page)
{
	if (!--*ref(page))
		taken--;
}

static int page_count(void *page)
{
	return *ref(page);
}

static void *arena_va(phys_addr_t pa)
{
	return arena + (pa - base);
}

static phys_addr_t arena_pa(void *va)
{
	return (u64)((unsigned char *)va - arena) + base;
}

static void maintain(void *at, size_t size)
{
	(void)at, (void)size;
}

static void free_unlinked_table(void *table, s8 level);

static struct kvm_pgtable_mm_ops mm_ops = {
	.zalloc_page = zalloc_page,
	.zalloc_pages_exact = zalloc_pages_exact,
	.free_pages_exact = free_pages_exact,
	.free_unlinked_table = free_unlinked_table,
	.get_page = get_page,
	.put_page = put_page,
	.page_count = page_count,
	.phys_to_virt = arena_va,
	.virt_to_phys = arena_pa,
	.dcache_clean_inval_poc = maintain,
	.icache_inval_pou = maintain,
};

static void free_unlinked_table(void *table, s8 level)
{
	kvm_pgtable_stage2_free_unlinked(&mm_ops, table, level);
}

static void side_open(bool fwb, bool tlbirange, unsigned ipa_bits)
{
	if (pgt.pgd)
		kvm_pgtable_stage2_destroy(&pgt);
	shim_fwb = fwb;
	shim_tlbirange = tlbirange;
	shim_xnx = tlbirange; /* with FWB and without */
	vm.arch.mmu.vtcr = kvm_get_vtcr(SHIM_52BIT ? ID_AA64MMFR0_EL1_PARANGE_52 :
						     ID_AA64MMFR0_EL1_PARANGE_48,
					0, ipa_bits);
	must(!__kvm_pgtable_stage2_init(&pgt, &vm.arch.mmu, &mm_ops, 0, NULL));
}

static enum kvm_pgtable_prot kvm_prot(uint64_t prot)
{
	return (prot & XU ? KVM_PGTABLE_PROT_UX : 0) |
	       (prot & XP ? KVM_PGTABLE_PROT_PX : 0) |
	       (prot & W ? KVM_PGTABLE_PROT_W : 0) | (prot & R ? KVM_PGTABLE_PROT_R : 0) |
	       (prot & DEVICE ? KVM_PGTABLE_PROT_DEVICE : 0) |
	       (prot & NC ? KVM_PGTABLE_PROT_NORMAL_NC : 0);
}

static int side_map(uint64_t ipa, uint64_t size, uint64_t pa, uint64_t prot, bool fault)
{
	return kvm_pgtable_stage2_map(&pgt, ipa, size, pa, kvm_prot(prot),
				      &vm.arch.mmu.split_page_cache,
				      fault ? STAGE2_WALK_FAULT : 0);
}

static int side_unmap(uint64_t ipa, uint64_t size)
{
	return kvm_pgtable_stage2_unmap(&pgt, ipa, size);
}

static int side_wrprotect(uint64_t ipa, uint64_t size)
{
	return kvm_pgtable_stage2_wrprotect(&pgt, ipa, size);
}

static int side_relax(uint64_t ipa, uint64_t prot)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	return kvm_pgtable_stage2_relax_perms(&pgt, ipa, kvm_prot(prot));
#else
	return kvm_pgtable_stage2_relax_perms(&pgt, ipa, kvm_prot(prot),
					      KVM_PGTABLE_WALK_SHARED);
#endif
}

static uint64_t side_mkyoung(uint64_t ipa)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	return kvm_pgtable_stage2_mkyoung(&pgt, ipa);
#else
	kvm_pgtable_stage2_mkyoung(&pgt, ipa, KVM_PGTABLE_WALK_SHARED);
	return 0;
#endif
}

static bool side_young(uint64_t ipa, uint64_t size, bool clear)
{
	return kvm_pgtable_stage2_test_clear_young(&pgt, ipa, size, clear);
}

static int side_split(uint64_t ipa, uint64_t size)
{
	return kvm_pgtable_stage2_split(&pgt, ipa, size, &vm.arch.mmu.split_page_cache);
}

static uint64_t side_leaf(uint64_t ipa, int *level)
{
	kvm_pte_t pte = 0;
	s8 at = 0;

	must(!kvm_pgtable_get_leaf(&pgt, ipa, &pte, &at));
	*level = at;
	return kvm_pte_valid(pte) ? pte : 0;
}

static uint64_t count_tables(void);
static void starve(int n);
static void rival(uint64_t ipa, uint64_t pa, uint64_t prot);
static bool rival_left(void);

static uint64_t side_tables(void)
{
	return count_tables();
}

const struct side JOIN(side_, SIDE) = {
	.open = side_open,
	.map = side_map,
	.unmap = side_unmap,
	.wrprotect = side_wrprotect,
	.relax = side_relax,
	.mkyoung = side_mkyoung,
	.young = side_young,
	.split = side_split,
	.leaf = side_leaf,
	.tables = side_tables,
	.starve = starve,
	.rival = rival,
	.rival_left = rival_left,
};
