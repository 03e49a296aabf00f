// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stage-2 functions of KVM (asm/kvm_pgtable.h) on the engine. The callers are KVM's,
 * unchanged, and so are their locking rules:
 *
 *   mmu_lock held for writing   unmap, wrprotect, test_clear_young, flush, split,
 *                               map with flags 0
 *   mmu_lock held for reading   map with KVM_PGTABLE_WALK_SHARED, relax_perms,
 *                               mkyoung: any number at once, on any vCPU
 *   no lock, no other user      init, destroy
 *
 * compat.c has those whose arguments are not the same in all kernels. kvm_pgtable_walk(),
 * kvm_pgtable_get_leaf() and the functions of VTCR stay in use, for our tables too: valid
 * entries have the format of the hardware, and a walker ignores invalid ones.
 */
#include <linux/kvm_host.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>

#include "internal.h"

/* ---- the two vocabularies --------------------------------------------------- */

static int stage2_errno(int err)
{
	switch (err) {
	case 0:
		return 0;
	case S2_E_NOMEM:
		return -ENOMEM;
	/* Another call was first. The guest faults again if it has to. */
	case S2_E_EXIST:
	case S2_E_NOENT:
	case S2_E_BUSY:
	case S2_MORE:
		return -EAGAIN;
	case S2_E_WRAP:
	case S2_E_IPA_RANGE:
		return -ERANGE;
	default:
		return -EINVAL;
	}
}

static int stage2_attr(enum kvm_pgtable_prot prot, s2_attr_t *attr)
{
	bool device = prot & KVM_PGTABLE_PROT_DEVICE;
	bool nc = prot & KVM_PGTABLE_PROT_NORMAL_NC;

	if ((device && nc) || ((device || nc) && prot & KVM_PGTABLE_PROT_X))
		return -EINVAL;
	*attr = device ? S2_MEM_DEV_nGnRE : nc ? S2_MEM_NC : S2_MEM_WB;
	if (prot & KVM_PGTABLE_PROT_R)
		*attr |= S2_R;
	if (prot & KVM_PGTABLE_PROT_W)
		*attr |= S2_W;
	if (prot & KVM_PGTABLE_PROT_PX)
		*attr |= S2_XP;
	if (prot & KVM_PGTABLE_PROT_UX)
		*attr |= S2_XU;
	if (!stage2_has_xnx() && !(*attr & S2_XP) != !(*attr & S2_XU))
		return -EINVAL;
	*attr |= S2_SW(FIELD_GET(KVM_PTE_LEAF_ATTR_HI_SW, prot));
	return 0;
}

/* As kvm_pgtable_walk(): the first page is that of @addr, and @size is rounded up. */
static s2_ipa_t stage2_ipa(u64 addr)
{
	return s2_ipa(addr & PAGE_MASK);
}

static u64 stage2_size(u64 size)
{
	return PAGE_ALIGN(size);
}

static void assert_exclusive(struct kvm_pgtable *pgt)
{
	lockdep_assert_held_write(&kvm_s2_mmu_to_kvm(pgt->mmu)->mmu_lock);
}

/* ---- an instance ------------------------------------------------------------ */

static u32 stage2_features(struct kvm_pgtable *pgt, u64 vtcr)
{
	u32 features = 0;

	if (stage2_has_fwb(pgt))
		features |= S2_FEAT_FWB;
	if (stage2_has_xnx())
		features |= S2_FEAT_XNX;
	if (system_supports_tlb_range())
		features |= S2_FEAT_TLBIRANGE;
	if (cpus_have_final_cap(ARM64_HAS_ARMv8_4_TTL))
		features |= S2_FEAT_TTL;
	/* Some of the CPUs may lack it. Those never write an entry. */
	if (vtcr & VTCR_EL2_HA)
		features |= S2_FEAT_HAFDBS;
	if (vtcr & VTCR_EL2_DS)
		features |= S2_FEAT_LPA2;
	if (vtcr & BIT(VTCR_EL2_VS_SHIFT))
		features |= S2_FEAT_VMID16;
	/* No FEAT_BBM: KVM handles no conflict abort of a guest. */
	return features;
}

int __kvm_pgtable_stage2_init(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu,
			      struct kvm_pgtable_mm_ops *mm_ops,
			      enum kvm_pgtable_stage2_flags flags,
			      kvm_pgtable_force_pte_cb_t force_pte_cb)
{
	u64 vtcr = mmu->vtcr;
	struct s2_config cfg = {
		.ipa_bits = VTCR_EL2_IPA(vtcr),
		.pa_bits = id_aa64mmfr0_parange_to_phys_shift(
			FIELD_GET(VTCR_EL2_PS_MASK, vtcr)),
		.granule_shift = PAGE_SHIFT,
		.min_levels = 2, /* kvm_get_vtcr()'s least */
	};
	struct stage2_tables *t;
	int err;

	if (WARN_ON(flags & STAGE2_FLAGS_PKVM))
		return -EINVAL;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->mm_ops = *mm_ops;
	t->pgt = pgt;
	stage2_reclaim_init(t);

	pgt->flags = flags;
	cfg.port = t;
	cfg.features = stage2_features(pgt, vtcr);
	err = stage2_dirty_init(t, mmu, &cfg.features);
	if (err) {
		stage2_tables_put(t);
		return err;
	}
	if (STAGE2_REPEATS_TLBI && has_vhe() && cpus_have_final_cap(STAGE2_REPEAT_TLBI))
		cfg.errata = S2_ERRATUM_REPEAT_TLBI;
	err = s2_init(&t->s2, &cfg);
	if (!err && WARN_ON((s2_vtcr(&t->s2) ^ vtcr) &
			    (VTCR_EL2_T0SZ_MASK | VTCR_EL2_SL0_MASK | VTCR_EL2_DS))) {
		/* The hardware would start at another level than the engine. */
		s2_destroy(&t->s2, S2_VMID_UNUSED, NULL);
		err = S2_E_CONFIG;
	}
	if (err) {
		stage2_tables_put(t);
		return stage2_errno(err);
	}
	t->layout = t->s2;

	pgt->ia_bits = t->s2.ipa_bits;
	pgt->start_level = t->s2.start_level;
	pgt->pgd = (kvm_pteref_t)t->s2.root;
	pgt->mm_ops = &t->mm_ops;
	pgt->mmu = mmu;
	pgt->force_pte_cb = force_pte_cb;
	stage2_debugfs_add(t);

	/*
	 * The zeroes of the root must be visible before a vCPU walks. The root has no
	 * link that orders them.
	 */
	dsb(ishst);
	return 0;
}

/*
 * KVM has taken the last vCPU out of the guest before it calls this. reclaim.c does the
 * rest.
 */
void kvm_pgtable_stage2_destroy(struct kvm_pgtable *pgt)
{
	struct stage2_tables *t = stage2_tables(pgt);

	stage2_debugfs_del(t);
	pgt->pgd = NULL;
	stage2_reclaim_all(t);
}

/* Of a call that has to wait for another one. */
#define ROUNDS 64

/* ---- from a fault: beside others of their kind ------------------------------
 *
 * mmu_lock is held for reading, so no exclusive call runs. A table that another fault
 * detaches (a block takes its place) stays until the end of the read-side section.
 */

/*
 * What a guest must find in memory that it has not been able to use: what the host wrote,
 * past the caches and in the instruction stream. KVM's functions do nothing where the
 * CPUs need nothing (FWB, DIC).
 *
 * It is done before the call of the engine, which then cleans nothing (S2_NO_CLEAN), and
 * which has a short way for such a map. Where pages become a block or a block a page, the
 * guest may still write by its old mapping meanwhile. That mapping is of the same memory
 * (a notifier has removed any other) and of the same type, so what the guest does to its
 * caches it would have to do without the change, too.
 */
static void stage2_prepare(struct stage2_tables *t, u64 phys, u64 size,
			   enum kvm_pgtable_prot prot)
{
	void *va = phys_to_virt(phys);

	if (prot & (KVM_PGTABLE_PROT_DEVICE | KVM_PGTABLE_PROT_NORMAL_NC))
		return;
	t->mm_ops.dcache_clean_inval_poc(va, size);
	if (prot & KVM_PGTABLE_PROT_X)
		t->mm_ops.icache_inval_pou(va, size);
}

int kvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, void *mc,
			   enum kvm_pgtable_walk_flags flags)
{
	struct stage2_tables *t = stage2_tables(pgt);
	u32 how = S2_MAP_NEW | S2_MAP_REPLACE | S2_NO_CLEAN;
	s2_ipa_t ipa = stage2_ipa(addr);
	struct s2_limbo limbo = {};
	struct s2_op op = { .cookie = mc, .limbo = &limbo };
	s2_attr_t attr;
	int ret = stage2_attr(prot, &attr);
	bool logged;

	if (ret)
		return ret;
	if (WARN_ON((pgt->flags & KVM_PGTABLE_S2_IDMAP) && addr != phys))
		return -EINVAL;
	if (pgt->force_pte_cb && pgt->force_pte_cb(addr, addr + size, prot))
		how |= S2_MAP_PAGES;
	if (flags & KVM_PGTABLE_WALK_SHARED)
		how |= S2_SHARED;
	else
		assert_exclusive(pgt);
	size = stage2_size(size);
	if (stage2_dirty_page(t, size, attr))
		attr |= S2_DBM;
	/*
	 * A page out of a block: the rest of the block goes, as KVM does it, and the
	 * guest faults it in again. Where it would have to be cleaned, or where hardware
	 * is to log it, it stays, as pages. (The page is one of them then, and the guest
	 * faults once more for its permissions.)
	 */
	logged = stage2_dirty_block(t, addr & PAGE_MASK, size);
	if (t->s2.features & S2_FEAT_FWB && !logged)
		how |= S2_DROP_EDGES;
	else
		how |= S2_SPLIT_EDGES | (size == PAGE_SIZE ? S2_MAP_PAGES : 0);
	phys &= PAGE_MASK;
	stage2_prepare(t, phys, size, prot);

	/*
	 * S2_MORE: another fault must finish something first. We have left the section.
	 * It may not run while we spin with the lock held (PREEMPT_RT: we may have
	 * preempted it), so the guest faults again after some rounds.
	 *
	 * The short way makes one leaf of @size, and drops the rest of a block.
	 */
	for (int round = 0; round < ROUNDS; round++) {
		rcu_read_lock();
		ret = STAGE2_GENERAL;
		if (how & S2_SHARED && !logged &&
		    (size == PAGE_SIZE || !(how & S2_MAP_PAGES)))
			ret = stage2_map_short(t, addr & PAGE_MASK, phys, size, attr, mc,
					       &limbo);
		if (ret == STAGE2_GENERAL)
			ret = s2_map(&t->s2, ipa, s2_pa(phys), size, attr, how, &op);
		if (logged)
			stage2_dirty_split(t, addr, PAGE_SIZE);
		rcu_read_unlock();
		if (ret != S2_MORE)
			break;
		cpu_relax();
	}
	stage2_reclaim(t, &limbo, !(flags & KVM_PGTABLE_WALK_SHARED));
	ret = stage2_errno(ret);
	/* As kvm_pgtable_walk_continue(). */
	return ret == -EAGAIN && !stage2_tell_race(flags) ? 0 : ret;
}

int stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot)
{
	struct stage2_tables *t = stage2_tables(pgt);
	struct s2_leaf leaf;
	s2_attr_t perms;
	int ret = stage2_attr(prot, &perms);

	if (ret)
		return ret;
	if (prot & KVM_PTE_LEAF_ATTR_HI_SW)
		return -EINVAL;
	perms &= S2_R | S2_W | S2_X;
	rcu_read_lock();
	/* A nested guest's leaf that permits nothing: there is nothing to add. */
	if (!perms)
		ret = s2_translate(&t->s2, stage2_ipa(addr), &leaf);
	else if (!stage2_relax_short(t, addr & PAGE_MASK, perms))
		ret = s2_relax_perms(&t->s2, stage2_ipa(addr), perms, S2_SHARED);
	rcu_read_unlock();
	return stage2_errno(ret);
}

kvm_pte_t stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr)
{
	struct stage2_tables *t = stage2_tables(pgt);
	struct s2_leaf leaf;
	kvm_pte_t pte = 0;

	rcu_read_lock();
	if (!s2_translate(&t->s2, stage2_ipa(addr), &leaf) &&
	    !s2_mkyoung(&t->s2, stage2_ipa(addr), S2_SHARED))
		pte = leaf.desc;
	rcu_read_unlock();
	/* The flag before the guest's next access, which would fault again. */
	if (pte)
		dsb(ishst);
	return pte;
}

/* ---- over a range: with nobody beside them ---------------------------------- */

int kvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	struct stage2_tables *t = stage2_tables(pgt);
	struct s2_limbo limbo = {};
	struct s2_op op = { .limbo = &limbo };
	int ret;

	assert_exclusive(pgt);
	ret = stage2_dirty_unmap(t, addr & PAGE_MASK, stage2_size(size), &op);
	stage2_reclaim(t, &limbo, true);
	return stage2_errno(ret);
}

/*
 * The callers invalidate themselves, once after all their calls and before they look at
 * what was written. So the engine need not: but for the tables of nested guests
 * (kvm_nested_s2_wp()), for which the callers' invalidation of the VM's own VMID does
 * nothing.
 */
int kvm_pgtable_stage2_wrprotect(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	struct stage2_tables *t = stage2_tables(pgt);
	int ret;

	assert_exclusive(pgt);
	t->quiet = pgt->mmu == &kvm_s2_mmu_to_kvm(pgt->mmu)->arch.mmu;
	ret = stage2_dirty_wrprotect(t, addr & PAGE_MASK, stage2_size(size));
	t->quiet = false;
	return stage2_errno(ret);
}

bool kvm_pgtable_stage2_test_clear_young(struct kvm_pgtable *pgt, u64 addr, u64 size,
					 bool mkold)
{
	struct stage2_tables *t = stage2_tables(pgt);
	bool young = false;

	assert_exclusive(pgt);
	if (size <= PAGE_SIZE)
		return stage2_age_short(t, addr & PAGE_MASK, mkold);
	WARN_ON(s2_age(&t->s2, stage2_ipa(addr), stage2_size(size), mkold ? S2_CLEAR : 0,
		       &young, NULL));
	return young;
}

int kvm_pgtable_stage2_flush(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	struct stage2_tables *t = stage2_tables(pgt);

	if (t->s2.features & S2_FEAT_FWB)
		return 0;
	return stage2_errno(
		s2_clean(&t->s2, stage2_ipa(addr), stage2_size(size), 0, NULL));
}

/*
 * All blocks of the chunk or, if the cache has too few pages for that, none. KVM has
 * filled the cache for the chunk. (After an error it splits no more of the slot at once,
 * but each block at its first write.)
 */
int kvm_pgtable_stage2_split(struct kvm_pgtable *pgt, u64 addr, u64 size,
			     struct kvm_mmu_memory_cache *mc)
{
	struct stage2_tables *t = stage2_tables(pgt);
	struct s2_op op = { .cookie = mc };
	int ret;

	assert_exclusive(pgt);
	t->splitting = true;
	ret = s2_split(&t->s2, stage2_ipa(addr), stage2_size(size), 0, &op);
	t->splitting = false;
	stage2_dirty_split(t, addr, size);
	return stage2_errno(ret);
}

/* ---- trees that are linked to nothing --------------------------------------- */

/* An instance whose root is one table that covers an entry at @level. */
static void stage2_unlinked(struct stage2_tables *t, struct kvm_pgtable_mm_ops *mm_ops,
			    void *table, s8 level, u32 features)
{
	struct s2_config cfg = {
		.ipa_bits = kvm_granule_shift(level),
		.pa_bits = id_aa64mmfr0_parange_to_phys_shift(kvm_get_parange_max()),
		.granule_shift = PAGE_SHIFT,
		.features = features | (kvm_lpa2_is_enabled() ? S2_FEAT_LPA2 : 0),
		.port = t,
	};

	t->mm_ops = *mm_ops;
	t->unlinked = true;
	config_layout(&t->s2, &cfg);
	t->s2.root = table;
	t->s2.root_pages = 1;
	t->s2.start_level = level + 1;
	t->s2.start_shift = kvm_granule_shift(level + 1);
	t->s2.special = level + 1 == KVM_PGTABLE_LAST_LEVEL ? S2_SHALLOW : 0;
	t->s2.tags = 1;
}

void kvm_pgtable_stage2_free_unlinked(struct kvm_pgtable_mm_ops *mm_ops, void *pgtable,
				      s8 level)
{
	struct stage2_tables t = {};

	stage2_unlinked(&t, mm_ops, pgtable, level, 0);
	WARN_ON(s2_destroy(&t.s2, S2_NO_CLEAN | S2_VMID_UNUSED, NULL));
}

kvm_pte_t *kvm_pgtable_stage2_create_unlinked(struct kvm_pgtable *pgt, u64 phys, s8 level,
					      enum kvm_pgtable_prot prot, void *mc,
					      bool force_pte)
{
	struct stage2_tables t = {};
	struct s2_op op = { .cookie = mc };
	uint64_t *table;
	s2_attr_t attr;
	int ret = stage2_attr(prot, &attr);

	if (ret)
		return ERR_PTR(ret);
	if (!IS_ALIGNED(phys, kvm_granule_size(level)))
		return ERR_PTR(-EINVAL);
	t.mm_ops = *pgt->mm_ops;
	table = s2_port_table_alloc(&t, mc);
	if (!table)
		return ERR_PTR(-ENOMEM);
	stage2_unlinked(&t, pgt->mm_ops, table, level,
			stage2_tables(pgt)->s2.features & S2_FEAT_FWB);
	ret = s2_map(&t.s2, s2_ipa(0), s2_pa(phys), kvm_granule_size(level), attr,
		     S2_NO_CLEAN | (force_pte ? S2_MAP_PAGES : 0), &op);
	if (!ret)
		return table;
	kvm_pgtable_stage2_free_unlinked(pgt->mm_ops, table, level);
	return ERR_PTR(stage2_errno(ret));
}
