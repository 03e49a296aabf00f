// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/stage2/: files that only a kernel for tests has.
 *
 *   no_tlbi    switches invalidation off, so that a test can show that it would notice
 *   no_harvest switches off that an unmap collects the dirty state of hardware
 *   unlinked   when read, tries create_unlinked and free_unlinked, which KVM itself no
 *              longer calls
 *   calls      when read, tries arguments that KVM seldom has
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kvm_host.h>
#include <linux/seq_file.h>

#include "port.h"

bool stage2_test_no_tlbi, stage2_test_no_harvest;

/* Whether an entry is what the table should have: @phys, as a page or as a block. */
static bool leaf_is(kvm_pte_t pte, u64 phys, bool page)
{
	return kvm_pte_valid(pte) && kvm_pte_to_phys(pte) == phys &&
	       !(pte & BIT(1)) == !page;
}

/* The most tables of one try. With pages of 64 KiB 8,193 of them would be 512 MiB. */
#define TRIED (PAGE_SHIFT == 16 ? 1 : PTRS_PER_PTE + 1)

static bool try_unlinked(struct kvm_pgtable *pgt, struct kvm_mmu_memory_cache *mc,
			 unsigned int pa_bits, s8 level, bool force_pte)
{
	const enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W;
	/* The last block of this level, which is not accessed. */
	const u64 phys = BIT(pa_bits) - kvm_granule_size(level);
	const u64 child = kvm_granule_size(level + 1);
	bool tables = force_pte && level + 1 < KVM_PGTABLE_LAST_LEVEL;
	int used = tables ? PTRS_PER_PTE + 1 : 1;
	bool good;
	kvm_pte_t *table;

	if (__kvm_mmu_topup_memory_cache(mc, TRIED, TRIED))
		return false;
	used = mc->nobjs - used;
	table = kvm_pgtable_stage2_create_unlinked(pgt, phys, level, prot, mc, force_pte);
	if (IS_ERR(table))
		return false;
	good = mc->nobjs == used;
	for (int i = 0; good && i < PTRS_PER_PTE; i++) {
		kvm_pte_t *below = tables ? __va(kvm_pte_to_phys(table[i])) : NULL;

		if (!tables)
			good = leaf_is(table[i], phys + i * child, child == PAGE_SIZE);
		for (int j = 0; below && good && j < PTRS_PER_PTE; j++)
			good = leaf_is(below[j], phys + i * child + j * PAGE_SIZE, true);
	}
	kvm_pgtable_stage2_free_unlinked(pgt->mm_ops, table, level);
	return good;
}

static int unlinked_show(struct seq_file *m, void *unused)
{
	struct kvm_mmu_memory_cache mc = { .gfp_zero = __GFP_ZERO };
	struct stage2_tables *t = stage2_debugfs_last();
	struct kvm_pgtable pgt = {};
	unsigned int bits;
	bool good;

	if (!t)
		return -ENOENT;
	pgt.mm_ops = &t->mm_ops;
	bits = t->s2.pa_bits;
	good = try_unlinked(&pgt, &mc, bits, 2, true) &&
	       try_unlinked(&pgt, &mc, bits, 1, false) &&
	       (TRIED == 1 || try_unlinked(&pgt, &mc, bits, 1, true));
	stage2_tables_put(t);
	kvm_mmu_free_memory_cache(&mc);
	seq_puts(m, good ? "good\n" : "wrong\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(unlinked);

#define PERMISSIONS (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X)

/* Whether the entry of @ipa has these permissions; a negative @prot: is not valid. */
static bool permits(struct kvm_pgtable *pgt, u64 ipa, int prot)
{
	kvm_pte_t pte;
	s8 level;

	if (kvm_pgtable_get_leaf(pgt, ipa, &pte, &level))
		return false;
	if (prot < 0 || !kvm_pte_valid(pte))
		return prot < 0 && !kvm_pte_valid(pte);
	return (kvm_pgtable_stage2_pte_prot(pte) & PERMISSIONS) == prot;
}

/* The last two pages of the IPA space, which the VM does not use; an empty cache. */
static const char *try_calls(struct kvm_pgtable *pgt)
{
	const u64 a = BIT(pgt->ia_bits) - 2 * PAGE_SIZE, b = a + PAGE_SIZE;
	const u64 phys = page_to_phys(ZERO_PAGE(0));
	struct kvm_mmu_memory_cache mc = { .gfp_zero = __GFP_ZERO };

	if (kvm_pgtable_stage2_map(pgt, a, PAGE_SIZE, phys, KVM_PGTABLE_PROT_R, &mc,
				   STAGE2_WALK_FAULT))
		return "a fault whose cache is empty";
	if (kvm_pgtable_stage2_map(pgt, b, PAGE_SIZE, phys, 0, &mc,
				   STAGE2_WALK_NO_FAULT) ||
	    !permits(pgt, b, 0))
		return "a page that permits nothing";
	if (stage2_relax_perms(pgt, b, 0) || !permits(pgt, b, 0))
		return "no further permission";
	if (stage2_relax_perms(pgt, b, KVM_PGTABLE_PROT_R) ||
	    !permits(pgt, b, KVM_PGTABLE_PROT_R))
		return "a permission for a page without any";
	if (kvm_pgtable_stage2_map(pgt, a, PAGE_SIZE, phys, KVM_PGTABLE_PROT_R, &mc,
				   STAGE2_WALK_NO_FAULT))
		return "a map of what is mapped, not from a fault";
	if (kvm_pgtable_stage2_unmap(pgt, a + 16, PAGE_SIZE) || !permits(pgt, a, -1) ||
	    !permits(pgt, b, KVM_PGTABLE_PROT_R))
		return "a page by an address inside it";
	if (kvm_pgtable_stage2_unmap(pgt, b, 1) || !permits(pgt, b, -1))
		return "a size below a page";
	return "good";
}

static int calls_show(struct seq_file *m, void *unused)
{
	struct stage2_tables *t = stage2_debugfs_last();
	struct kvm *kvm;

	if (!t)
		return -ENOENT;
	/* Its VM is that of the program that reads this, and does not end meanwhile. */
	kvm = kvm_s2_mmu_to_kvm(t->pgt->mmu);
	write_lock(&kvm->mmu_lock);
	seq_printf(m, "%s\n", try_calls(t->pgt));
	write_unlock(&kvm->mmu_lock);
	stage2_tables_put(t);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(calls);

static int __init stage2_test_init(void)
{
	struct dentry *dir = debugfs_lookup("stage2", NULL);

	debugfs_create_bool("no_tlbi", 0600, dir, &stage2_test_no_tlbi);
	debugfs_create_bool("no_harvest", 0600, dir, &stage2_test_no_harvest);
	debugfs_create_file("unlinked", 0400, dir, NULL, &unlinked_fops);
	debugfs_create_file("calls", 0400, dir, NULL, &calls_fops);
	dput(dir);
	return 0;
}
/* After debugfs.c, which makes the directory. */
late_initcall_sync(stage2_test_init);
