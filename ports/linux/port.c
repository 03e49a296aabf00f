// SPDX-License-Identifier: GPL-2.0-only
/*
 * The porting functions that are more than one instruction: table pages, the VMID around
 * an invalidation, hypercalls without VHE, caches.
 */
#include <linux/memblock.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/kvm_hyp.h>

#include "../../vhe/tlb.h"
#include "port.h"

/* ---- table pages ------------------------------------------------------------ */

/* As KVM's zalloc_page(), which counts the page in SecPageTables. */
static uint64_t *from_reserves(void)
{
	void *table = (void *)__get_free_page(GFP_ATOMIC | __GFP_ACCOUNT | __GFP_ZERO);

	if (table)
		kvm_account_pgtable_pages(table, 1);
	return table;
}

/*
 * From the cache of the caller: the MMU lock is held. KVM does not fill the cache before
 * each fault that needs a table: not before one on the execute permission of a block,
 * while dirty pages are logged. Then the reserves of the allocator have to do, or the VM
 * would end. A split has no such need: KVM has filled the cache for the whole chunk.
 */
uint64_t *s2_port_table_alloc(void *port, void *cookie)
{
	struct stage2_tables *t = port;
	uint64_t *table;

	if (!cookie)
		return NULL;
	if (kvm_mmu_memory_cache_nr_free_objects(cookie))
		table = t->mm_ops.zalloc_page(cookie);
	else if (t->splitting)
		return NULL;
	else
		table = from_reserves();
	if (table)
		stage2_meta_clear(table);
	return table;
}

void s2_port_table_free(void *port, uint64_t *table)
{
	struct stage2_tables *t = port;

	t->mm_ops.put_page(table);
}

uint64_t *s2_port_root_alloc(void *port, unsigned int pages)
{
	struct stage2_tables *t = port;
	uint64_t *root = t->mm_ops.zalloc_pages_exact(pages * PAGE_SIZE);

	for (unsigned int i = 0; root && i < pages; i++)
		stage2_meta_clear(root + i * (PAGE_SIZE / sizeof(*root)));
	return root;
}

void s2_port_root_free(void *port, uint64_t *root, unsigned int pages)
{
	struct stage2_tables *t = port;

	if (t->unlinked)
		t->mm_ops.put_page(root);
	else
		t->mm_ops.free_pages_exact(root, pages * PAGE_SIZE);
}

/* ---- the VMID around an invalidation ----------------------------------------
 *
 * The thread stays on its CPU between enter and leave, so one of these for each CPU is
 * enough.
 *
 * @context: VHE: what KVM's own TLBIs change and put back; interrupts are off meanwhile
 * @start, @end: nVHE: the interval of all TLBIs by address
 * @level: nVHE: the level if it is one leaf, as a TTL hint
 */
struct stage2_inval {
	struct tlb_inv_context context;
	u64 start, end;
	int level;
};

static DEFINE_PER_CPU(struct stage2_inval, stage2_inval);

void stage2_vmid_enter(struct stage2_tables *t)
{
	struct stage2_inval *inv = get_cpu_ptr(&stage2_inval);

	if (has_vhe())
		enter_vmid_context(t->pgt->mmu, &inv->context);
	else
		inv->start = inv->end = 0;
}

void stage2_vmid_leave(struct stage2_tables *t)
{
	if (has_vhe())
		exit_vmid_context(&this_cpu_ptr(&stage2_inval)->context);
	put_cpu_ptr(&stage2_inval);
}

/* ---- nVHE: one hypercall for one invalidation ------------------------------- */

static void collect(u64 start, u64 size, int level)
{
	struct stage2_inval *inv = this_cpu_ptr(&stage2_inval);

	if (inv->start == inv->end) {
		inv->start = start;
		inv->end = start + size;
		inv->level = level;
		return;
	}
	inv->start = min(inv->start, start);
	inv->end = max(inv->end, start + size);
	inv->level = TLBI_TTL_UNKNOWN;
}

/* IPAS2E1IS: IPA[51:12] in [39:0], TTL in [47:44]: its two low bits are a level. */
void stage2_nvhe_collect_ipa(uint64_t operand)
{
	int level = FIELD_GET(GENMASK(47, 44), operand) & 3;

	collect((operand & GENMASK(39, 0)) << 12, PAGE_SIZE,
		level ? level : TLBI_TTL_UNKNOWN);
}

/* RIPAS2E1IS: SCALE [45:44], NUM [43:39], BaseADDR [36:0] in granules (64K: LPA2). */
void stage2_nvhe_collect_range(uint64_t operand)
{
	unsigned int scale = FIELD_GET(GENMASK(45, 44), operand);
	u64 pages = (FIELD_GET(GENMASK(43, 39), operand) + 1) << (5 * scale + 1);
	unsigned int shift = kvm_lpa2_is_enabled() ? 16 : PAGE_SHIFT;

	collect((operand & GENMASK(36, 0)) << shift, pages << PAGE_SHIFT,
		TLBI_TTL_UNKNOWN);
}

/*
 * Each function of EL2 does all of it: DSB, the TLBI by address, DSB, VMALLE1IS, DSB, in
 * the context of the VMID. One TLBI by address keeps its meaning (it may be for a block
 * that begins before it). Several of them become one range TLBI if the CPU has it. If it
 * has not, up to eight pages are invalidated one by one, as the engine has planned, and
 * more by one invalidation of the whole VMID.
 */
void stage2_nvhe_flush(struct stage2_tables *t)
{
	struct stage2_inval *inv = this_cpu_ptr(&stage2_inval);
	u64 pages = (inv->end - inv->start) >> PAGE_SHIFT;
	struct kvm_s2_mmu *mmu = t->pgt->mmu;

	if (pages > 1 && system_supports_tlb_range() && pages <= MAX_TLBI_RANGE_PAGES)
		kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, inv->start, pages);
	else if (pages > 8)
		kvm_call_hyp(__kvm_tlb_flush_vmid, mmu);
	else
		for (u64 at = inv->start; at < inv->end; at += PAGE_SIZE)
			kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, at, inv->level);
	inv->start = inv->end = 0;
}

/* For this PE alone, the engine never invalidates more than one leaf. */
void stage2_nvhe_flush_local(struct stage2_tables *t)
{
	struct stage2_inval *inv = this_cpu_ptr(&stage2_inval);

	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa_nsh, t->pgt->mmu, inv->start, inv->level);
}

void stage2_nvhe_flush_all(struct stage2_tables *t)
{
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->pgt->mmu);
}

/* ---- caches ----------------------------------------------------------------- */

/*
 * Memory without a struct page in the linear map (a device's, as KVM maps it) has no
 * cacheable alias here. KVM gives write-back only to memory that has one, so that type
 * needs no check.
 *
 * It cleans by line and without a DSB, unlike the function of the kernel: the DSB of the
 * engine completes all cleans. The line is the smallest of all CPUs.
 */
void s2_port_clean(void *port, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	unsigned long line, p, end;

	if ((attr & S2_MEM_MASK) != S2_MEM_WB && !pfn_is_map_memory(PHYS_PFN(pa)))
		return;
	line = 4UL << SYS_FIELD_GET(CTR_EL0, DminLine, arm64_ftr_reg_ctrel0.sys_val);
	p = (unsigned long)phys_to_virt(pa);
	for (end = p + size; p < end; p += line)
		asm volatile("dc civac, %0" : : "r"(p) : "memory");
}

void s2_port_make_executable(void *port, uint64_t pa, uint64_t size)
{
	struct stage2_tables *t = port;

	t->mm_ops.icache_inval_pou(phys_to_virt(pa), size);
}
