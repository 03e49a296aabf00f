// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/stage2/: the tables of every VM. */
#ifdef CONFIG_DEBUG_FS
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "port.h"

static LIST_HEAD(instances);
static DEFINE_MUTEX(instances_lock);

void stage2_debugfs_add(struct stage2_tables *t)
{
	mutex_init(&t->dumping);
	mutex_lock(&instances_lock);
	list_add_tail(&t->list, &instances);
	mutex_unlock(&instances_lock);
}

/* Returns when nobody reads the tables any more. Only their own VM waits for that. */
void stage2_debugfs_del(struct stage2_tables *t)
{
	mutex_lock(&instances_lock);
	list_del(&t->list);
	mutex_unlock(&instances_lock);
	mutex_lock(&t->dumping);
	t->gone = true;
	mutex_unlock(&t->dumping);
}

/* With instances_lock held. */
static struct stage2_tables *instance_at(struct list_head *at)
{
	struct stage2_tables *t = list_entry(at, struct stage2_tables, list);

	refcount_inc(&t->refs);
	return t;
}

/* The VM at a place in the list, with a reference to it; NULL beyond the last one. */
static struct stage2_tables *instance_get(loff_t n)
{
	struct list_head *at;
	struct stage2_tables *t;

	mutex_lock(&instances_lock);
	at = seq_list_start(&instances, n);
	t = at ? instance_at(at) : NULL;
	mutex_unlock(&instances_lock);
	return t;
}

#ifdef STAGE2_TEST
struct stage2_tables *stage2_debugfs_last(void)
{
	struct stage2_tables *t;

	mutex_lock(&instances_lock);
	t = list_empty(&instances) ? NULL : instance_at(instances.prev);
	mutex_unlock(&instances_lock);
	return t;
}
#endif

/*
 * The number of tables, and of TLBIs by kind that the engine has asked for. (Those after
 * a write-protect KVM issues itself.) The worker counts what it frees in the layout that
 * it works with.
 */
static void show_counts(struct seq_file *m, struct stage2_tables *t)
{
	u64 made = 0, freed = 0;

	for (int l = 0; l < S2_LEVELS; l++) {
		made += t->s2.made[l];
		freed += t->s2.freed[l] + t->layout.freed[l];
	}
	seq_printf(m, "  tables: %llu made, %llu freed\n", made, freed);
	seq_printf(m, "  tlbi: %llu ipas2e1is, %llu ripas2e1is, %llu vmalls12e1is\n",
		   t->s2.tlbis[S2_TLBI_IPAS2E1IS], t->s2.tlbis[S2_TLBI_RIPAS2E1IS],
		   t->s2.tlbis[S2_TLBI_VMALLS12E1IS]);
}

static void *tables_start(struct seq_file *m, loff_t *pos)
{
	return instance_get(*pos);
}

static void tables_stop(struct seq_file *m, void *t)
{
	if (t)
		stage2_tables_put(t);
}

static void *tables_next(struct seq_file *m, void *t, loff_t *pos)
{
	tables_stop(m, t);
	return instance_get(++*pos);
}

/*
 * One range on each line. It holds up the faults of the guest, so it is not for
 * monitoring.
 */
static int tables_show(struct seq_file *m, void *instance)
{
	struct stage2_tables *t = instance;
	char line[S2_DUMP_LINE];
	struct s2_iter it;
	struct kvm *kvm;

	mutex_lock(&t->dumping);
	if (!t->gone) {
		kvm = kvm_s2_mmu_to_kvm(t->pgt->mmu);
		seq_printf(m, "pid %d: %u-bit IPA, level %d, %u root pages%s\n",
			   kvm->userspace_pid, t->s2.ipa_bits, t->s2.start_level,
			   t->s2.root_pages,
			   t->pgt->mmu != &kvm->arch.mmu ? ", nested" :
			   t->dirty			 ? ", hardware dirty log" :
							   "");
		write_lock(&kvm->mmu_lock);
		show_counts(m, t);
		s2_iter_start(&it, &t->s2, s2_ipa(0), BIT_ULL(t->s2.ipa_bits));
		while (!seq_has_overflowed(m) && s2_dump_next(&it, line, sizeof(line)))
			seq_printf(m, "  %s\n", line);
		write_unlock(&kvm->mmu_lock);
	}
	mutex_unlock(&t->dumping);
	return 0;
}

static const struct seq_operations tables_sops = {
	.start = tables_start,
	.stop = tables_stop,
	.next = tables_next,
	.show = tables_show,
};
DEFINE_SEQ_ATTRIBUTE(tables);

static int __init stage2_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("stage2", NULL);

	debugfs_create_file("tables", 0400, dir, NULL, &tables_fops);
	return 0;
}
late_initcall(stage2_debugfs_init);
#endif /* CONFIG_DEBUG_FS */
