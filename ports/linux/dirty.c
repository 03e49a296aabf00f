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
 * their write permission when logging begins, and splits them, at once or at the first
 * write. A block that loses the permission is marked by a software bit. So the pages that
 * it becomes can have the DBM bit, all of them: what KVM has mapped writable may be
 * written until a notifier takes it away. When logging ends, those of them that are clean
 * lose the bit again. Their next write is a fault, at which KVM makes a block of them.
 *
 * A page that was first mapped without write permission gets the bit at its first write.
 *
 * A VM with a dirty ring needs a fault for each page, and so do the tables of nested
 * guests, whose pages are logged under other addresses: no DBM bit there, and none in
 * protected mode.
 *
 * All is done with the MMU lock held for writing, but for what belongs to a fault.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>
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

/*
 * CPUs that change the bits in an entry that software changes at the same time (errata
 * 1024718 and 2051678; the kernel's list in cpufeature.c is static). The kernel does not
 * let these log at stage 1. A CPU that starts later than the VM is not asked.
 */
static bool broken_dbm(void)
{
	static const struct midr_range models[] = {
		MIDR_ALL_VERSIONS(MIDR_CORTEX_A55),
		MIDR_REV(MIDR_QCOM_KRYO_4XX_SILVER, 0xd, 0xe),
		MIDR_REV_RANGE(MIDR_CORTEX_A510, 0, 0, 2),
	};
	int cpu;

	for_each_possible_cpu(cpu) {
		u32 midr = per_cpu(cpu_data, cpu).reg_midr;

		for (int i = 0; i < ARRAY_SIZE(models); i++)
			if (midr_is_cpu_model_range(midr, models[i].model,
						    models[i].rv_min, models[i].rv_max))
				return true;
	}
	return false;
}

/* Before the instance is made: adds to its features. */
int stage2_dirty_init(struct stage2_tables *t, struct kvm_s2_mmu *mmu, u32 *features)
{
	u64 mmfr1 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1);

	if (!READ_ONCE(hw_dirty_log) || is_protected_kvm_enabled() ||
	    !(*features & S2_FEAT_HAFDBS) ||
	    SYS_FIELD_GET(ID_AA64MMFR1_EL1, HAFDBS, mmfr1) <
		    ID_AA64MMFR1_EL1_HAFDBS_DBM ||
	    broken_dbm() || mmu != &kvm_s2_mmu_to_kvm(mmu)->arch.mmu)
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

/* A leaf that was a block, or in one, when logging began, and that may be written. */
#define DESC_LOGGED (UINT64_C(1) << DESC_SW_SHIFT)

/* The tables on the way to a leaf have to remember that it has the DBM bit. */
static void remember(struct s2 *s2, u64 ipa)
{
	u64 i = ipa >> s2->start_shift, d, *meta;
	u64 *table = s2->root + ALIGN_DOWN(i, PTRS_PER_PTE);
	u64 *entry = &s2->root[i];

	for (int level = s2->start_level;; level++) {
		meta = table_meta(s2, table);
		if (!(state_of(s2, meta) & META_DBM))
			s2_port_word_or(s2->port, &meta[META_STATE], META_DBM);
		d = s2_port_load(s2->port, entry);
		if (!desc_valid_table(d, level))
			return;
		table = table_of(s2, d);
		entry = &table[ipa >> level_shift(s2, level + 1) & (PTRS_PER_PTE - 1)];
	}
}

/*
 * Makes each leaf of a range what @change says, beside hardware and beside faults.
 * Returns whether any has changed.
 */
static bool change_leaves(struct s2 *s2, u64 ipa, u64 end,
			  u64 (*change)(const struct s2 *s2, u64 d, int level))
{
	bool changed = false;

	while (ipa < end) {
		struct place p = walk(s2, ipa);
		const u64 size = level_size(s2, p.level);
		const u64 past = min(end, ALIGN(ipa + 1, size * PTRS_PER_PTE));
		bool remembered = false;
		u64 d = p.d, to, was;

		while (!desc_valid_table(d, p.level)) {
			while (desc_valid(d) && (to = change(s2, d, p.level)) != d) {
				if (!remembered && to & DESC_DBM) {
					remember(s2, ipa);
					remembered = true;
				}
				was = s2_port_cas(s2->port, p.entry, d, to);
				changed |= was == d;
				if (was == d)
					break;
				d = was;
			}
			ipa = ALIGN(ipa + 1, size);
			if (ipa >= past)
				break;
			d = s2_port_load(s2->port, ++p.entry);
		}
	}
	return changed;
}

/* A page out of a block: hardware logs it. */
static u64 log_page(const struct s2 *s2, u64 d, int level)
{
	if (level == LAST_LEVEL && (d & (DESC_LOGGED | DESC_S2AP_W)) == DESC_LOGGED)
		d |= DESC_DBM;
	return d;
}

/* What is writable, and what hardware does not log, becomes read-only. */
static u64 protect(const struct s2 *s2, u64 d, int level)
{
	if ((d & (DESC_DBM | DESC_S2AP_W)) != DESC_S2AP_W)
		return log_page(s2, d, level);
	if (level < LAST_LEVEL && (desc_attr(s2, d) & S2_MEM_MASK) == S2_MEM_WB)
		d |= DESC_LOGGED;
	return d & ~DESC_S2AP_W;
}

/* Logging has ended. */
static u64 unlog_page(const struct s2 *s2, u64 d, int level)
{
	if ((d & (DESC_LOGGED | DESC_DBM | DESC_S2AP_W)) == (DESC_LOGGED | DESC_DBM))
		d &= ~DESC_DBM;
	return d;
}

/* KVM maps a page out of a block whose pages hardware will log: they all stay mapped. */
bool stage2_dirty_block(struct stage2_tables *t, u64 ipa, u64 size)
{
	struct s2_leaf leaf;
	int ret;

	if (!t->dirty || size != PAGE_SIZE ||
	    !atomic_read(&kvm_s2_mmu_to_kvm(t->pgt->mmu)->nr_memslots_dirty_logging))
		return false;
	rcu_read_lock();
	ret = s2_translate(&t->s2, s2_ipa(ipa), &leaf);
	rcu_read_unlock();
	return !ret && leaf.level < LAST_LEVEL &&
	       (leaf.desc & (DESC_LOGGED | DESC_S2AP_W)) == DESC_LOGGED;
}

/* The blocks that a range touches are pages now. Inside a read-side section. */
void stage2_dirty_split(struct stage2_tables *t, u64 addr, u64 size)
{
	if (t->dirty)
		change_leaves(&t->s2, ALIGN_DOWN(addr, PMD_SIZE),
			      ALIGN(addr + size, PMD_SIZE), log_page);
}

/*
 * The first write to a page that was mapped without write permission. Returns the bit
 * that its leaf, which is @d, gets with the permission.
 */
u64 stage2_dirty_relax(struct stage2_tables *t, u64 ipa, u64 d, int level)
{
	struct s2 *s2 = &t->s2;

	if (!t->dirty || d & DESC_DBM ||
	    !stage2_dirty_page(t, level_size(s2, level), S2_W | desc_attr(s2, d)))
		return 0;
	remember(s2, ipa);
	return DESC_DBM;
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

/*
 * What has been collected, into the bitmaps of KVM. A vCPU sets bits there, too. Not
 * every caller keeps the slots as they are: guest_memfd does not when it unmaps.
 */
static void log_pages(struct stage2_dirty *dirty, struct kvm *kvm)
{
	const unsigned long *bits = (const unsigned long *)dirty->bits;
	unsigned long i, n = dirty->log.size >> PAGE_SHIFT;
	gfn_t base = dirty->log.ipa.ipa >> PAGE_SHIFT;
	struct kvm_memory_slot *slot = NULL;
	int idx = srcu_read_lock(&kvm->srcu);

	for (i = find_first_bit(bits, n); i < n; i = find_next_bit(bits, n, i + 1)) {
		gfn_t gfn = base + i;

		if (!slot || gfn < slot->base_gfn || gfn - slot->base_gfn >= slot->npages)
			slot = gfn_to_memslot(kvm, gfn);
		if (slot && slot->dirty_bitmap)
			set_bit_le(gfn - slot->base_gfn, slot->dirty_bitmap);
	}
	srcu_read_unlock(&kvm->srcu, idx);
}

/* s2_unmap() of a VM whose pages may be logged. */
int stage2_dirty_unmap(struct stage2_tables *t, u64 start, u64 size, struct s2_op *op)
{
	struct kvm *kvm = kvm_s2_mmu_to_kvm(t->pgt->mmu);
	u64 end = start + size, next;
	int ret = 0;

	if (!t->dirty || !atomic_read(&kvm->nr_memslots_dirty_logging) ||
	    unlikely(stage2_test_no_harvest))
		return s2_unmap(&t->s2, s2_ipa(start), size, S2_DROP_EDGES, op);
	for (; start < end && !ret; start = next) {
		next = log_next(t->dirty, start, end);
		op->dirty = &t->dirty->log;
		ret = s2_unmap(&t->s2, s2_ipa(start), next - start, S2_DROP_EDGES, op);
		log_pages(t->dirty, kvm);
	}
	return ret;
}

/* s2_wrprotect() of what hardware does not log. */
int stage2_dirty_wrprotect(struct stage2_tables *t, u64 start, u64 size)
{
	if (!t->dirty || kvm_s2_mmu_to_kvm(t->pgt->mmu)->dirty_ring_size)
		return s2_wrprotect(&t->s2, s2_ipa(start), size, 0, NULL);
	change_leaves(&t->s2, start, min(start + size, t->s2.ipa_end), protect);
	return 0;
}

/* What is done to the pages of a slot. */
enum what { FORGET, COLLECT, UNLOG };

static void each_step(struct kvm *kvm, const struct kvm_memory_slot *slot, enum what what)
{
	u64 start = slot->base_gfn << PAGE_SHIFT;
	u64 end = (slot->base_gfn + slot->npages) << PAGE_SHIFT, next;
	struct kvm_pgtable *pgt;
	struct stage2_tables *t;
	bool flush = false;

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
		if (what == UNLOG)
			flush |= change_leaves(&t->s2, start, next, unlog_page);
		else
			WARN_ON(s2_dirty(&t->s2, s2_ipa(start), next - start, S2_CLEAR,
					 &t->dirty->log, NULL));
		if (what == COLLECT)
			log_pages(t->dirty, kvm);
		cond_resched_rwlock_write(&kvm->mmu_lock);
	}
	write_unlock(&kvm->mmu_lock);
	if (flush)
		kvm_flush_remote_tlbs_memslot(kvm, slot);
}

/* KVM begins to log @slot, and is to know what is written from now on. */
void stage2_dirty_begin(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	each_step(kvm, slot, FORGET);
}

/* KVM reads the log of @slot. */
void stage2_dirty_sync(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	each_step(kvm, slot, COLLECT);
}

/* KVM no longer logs @slot. */
void stage2_dirty_end(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	each_step(kvm, slot, UNLOG);
}
