// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty pages logged by hardware (FEAT_HAFDBS), if the module parameter asks for it.
 *
 * A page that KVM maps writable has the DBM bit. Hardware sets its write permission when
 * the guest writes: that is its dirty state. When logging begins the state of all pages
 * is cleared, and pages stay writable, without a fault. Before KVM reads its log, the
 * state is collected into KVM's bitmap and cleared again. What ends a page in between
 * (an unmap) collects first.
 *
 * Blocks have no DBM bit, because one bit would be the state of 512 pages. KVM takes
 * their write permission and splits them, as always, and so it does with pages that were
 * first mapped without write permission, up to their first write.
 *
 * A VM with a dirty ring needs a fault for each page, and so do the tables of nested
 * guests, whose pages are logged under other addresses: no DBM bit there, and none in
 * protected mode.
 *
 * All is done with the MMU lock held for writing.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/kvm_stage2.h>

#include "internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kvm_stage2."

static bool hw_dirty_log;
module_param(hw_dirty_log, bool, 0644);
MODULE_PARM_DESC(hw_dirty_log, "VMs created from now on log dirty pages by hardware");

/* One bitmap for each VM. What it is for is cleared and collected in one go. */
#define DIRTY_PAGES 16384
#define DIRTY_BYTES (DIRTY_PAGES * PAGE_SIZE)

struct stage2_dirty {
	struct s2_dirty_log log;
	u64 bits[DIRTY_PAGES / 64];
};

/* Before the instance is made: adds to its features. */
int stage2_dirty_init(struct stage2_tables *t, struct kvm_s2_mmu *mmu, u32 *features)
{
	u64 mmfr1 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1);

	if (!READ_ONCE(hw_dirty_log) || is_protected_kvm_enabled() ||
	    !(*features & S2_FEAT_HAFDBS) ||
	    SYS_FIELD_GET(ID_AA64MMFR1_EL1, HAFDBS, mmfr1) <
		    ID_AA64MMFR1_EL1_HAFDBS_DBM ||
	    mmu != &kvm_s2_mmu_to_kvm(mmu)->arch.mmu)
		return 0;
	t->dirty = kzalloc(sizeof(*t->dirty), GFP_KERNEL_ACCOUNT);
	if (!t->dirty)
		return -ENOMEM;
	*features |= S2_FEAT_DBM;
	mmu->vtcr |= VTCR_EL2_HD;
	return 0;
}

/* Whether a page that is mapped writable gets the DBM bit. */
bool stage2_dirty_page(struct stage2_tables *t, u64 size, s2_attr_t attr)
{
	return t->dirty && size == PAGE_SIZE && attr & S2_W &&
	       (attr & S2_MEM_MASK) == S2_MEM_WB &&
	       !kvm_s2_mmu_to_kvm(t->pgt->mmu)->dirty_ring_size;
}

/*
 * The first write to a page that was mapped without write permission. It gets the DBM bit
 * with the permission, in place. S2_MORE if it is not such a page.
 */
int stage2_dirty_relax(struct stage2_tables *t, s2_ipa_t ipa, s2_attr_t perms)
{
	struct s2_limbo limbo = {};
	struct s2_op op = { .limbo = &limbo };
	struct s2_leaf leaf;
	int ret;

	if (!t->dirty || s2_translate(&t->s2, ipa, &leaf) || leaf.desc & DESC_DBM)
		return S2_MORE;
	perms |= desc_attr(&t->s2, leaf.desc);
	if (!stage2_dirty_page(t, s2_leaf_size(&t->s2, &leaf), perms))
		return S2_MORE;
	ret = s2_map(&t->s2, ipa, leaf.pa, PAGE_SIZE, perms | S2_DBM, S2_SHARED, &op);
	stage2_reclaim(t, &limbo, false);
	return ret;
}

/* An empty log for the part of a range that one bitmap can hold; returns its end. */
static u64 log_next(struct stage2_dirty *dirty, u64 start, u64 end)
{
	end = min(end, ALIGN_DOWN(start, DIRTY_BYTES) + DIRTY_BYTES);
	dirty->log = (struct s2_dirty_log){
		.ipa = s2_ipa(start),
		.size = end - start,
		.bits = dirty->bits,
	};
	memset(dirty->bits, 0, sizeof(dirty->bits));
	return end;
}

/* What has been collected, into the bitmaps of KVM. A vCPU sets bits there, too. */
static void log_pages(struct stage2_dirty *dirty, struct kvm *kvm)
{
	const unsigned long *bits = (const unsigned long *)dirty->bits;
	unsigned long i, n = dirty->log.size >> PAGE_SHIFT;
	gfn_t base = dirty->log.ipa.ipa >> PAGE_SHIFT;
	struct kvm_memory_slot *slot = NULL;

	for (i = find_first_bit(bits, n); i < n; i = find_next_bit(bits, n, i + 1)) {
		gfn_t gfn = base + i;

		if (!slot || gfn < slot->base_gfn || gfn - slot->base_gfn >= slot->npages)
			slot = gfn_to_memslot(kvm, gfn);
		if (slot && slot->dirty_bitmap)
			set_bit_le(gfn - slot->base_gfn, slot->dirty_bitmap);
	}
}

/* s2_unmap() of a VM whose pages may be logged. */
int stage2_dirty_unmap(struct stage2_tables *t, u64 start, u64 size, struct s2_op *op)
{
	struct kvm *kvm = kvm_s2_mmu_to_kvm(t->pgt->mmu);
	u64 end = start + size, next;
	int ret = 0;

	if (!t->dirty || !atomic_read(&kvm->nr_memslots_dirty_logging))
		return s2_unmap(&t->s2, s2_ipa(start), size, S2_DROP_EDGES, op);
	for (; start < end && !ret; start = next) {
		next = log_next(t->dirty, start, end);
		op->dirty = &t->dirty->log;
		ret = s2_unmap(&t->s2, s2_ipa(start), next - start, S2_DROP_EDGES, op);
		log_pages(t->dirty, kvm);
	}
	return ret;
}

/* A leaf that is writable, and that hardware does not log. */
static int protect(const struct kvm_pgtable_visit_ctx *ctx,
		   enum kvm_pgtable_walk_flags visit)
{
	struct stage2_tables *t = ctx->arg;

	if (!kvm_pte_valid(ctx->old) ||
	    (ctx->old & (DESC_DBM | DESC_S2AP_W)) != DESC_S2AP_W)
		return 0;
	/* A block is protected as a whole. No table changes under the walk. */
	return s2_wrprotect(&t->s2, s2_ipa(ctx->addr & PAGE_MASK), PAGE_SIZE, 0, NULL);
}

/* s2_wrprotect() of what hardware does not log. */
int stage2_dirty_wrprotect(struct stage2_tables *t, u64 start, u64 size)
{
	struct kvm_pgtable_walker walker = {
		.cb = protect,
		.arg = t,
		.flags = KVM_PGTABLE_WALK_LEAF,
	};

	if (!t->dirty || kvm_s2_mmu_to_kvm(t->pgt->mmu)->dirty_ring_size)
		return s2_wrprotect(&t->s2, s2_ipa(start), size, 0, NULL);
	return kvm_pgtable_walk(t->pgt, start, size, &walker);
}

/* Collects the dirty state of a range and clears it; without @log it is forgotten. */
static void collect(struct kvm *kvm, u64 start, u64 end, bool log)
{
	struct kvm_pgtable *pgt;
	struct stage2_tables *t;
	u64 next;

	/* The tables of a VM may be pKVM's. */
	if (is_protected_kvm_enabled())
		return;
	write_lock(&kvm->mmu_lock);
	for (; start < end; start = next) {
		pgt = kvm->arch.mmu.pgt;
		t = pgt ? stage2_tables(pgt) : NULL;
		if (!t || !t->dirty || kvm->dirty_ring_size)
			break;
		next = log_next(t->dirty, start, end);
		WARN_ON(s2_dirty(&t->s2, s2_ipa(start), next - start, S2_CLEAR,
				 &t->dirty->log, NULL));
		if (log)
			log_pages(t->dirty, kvm);
		cond_resched_rwlock_write(&kvm->mmu_lock);
	}
	write_unlock(&kvm->mmu_lock);
}

/* KVM begins to log @slot, and is to know what is written from now on. */
void stage2_dirty_begin(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	collect(kvm, slot->base_gfn << PAGE_SHIFT,
		(slot->base_gfn + slot->npages) << PAGE_SHIFT, false);
}

/* KVM reads the log of @slot. */
void stage2_dirty_sync(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	collect(kvm, slot->base_gfn << PAGE_SHIFT,
		(slot->base_gfn + slot->npages) << PAGE_SHIFT, true);
}
