// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees detached tables: after a grace period, a worker gives them to the allocator.
 * There is one grace period at a time for each VM. What is detached while one runs waits
 * for the next one, so a VM costs one callback however often it unmaps. All tables of a
 * VM that ends are freed in the same way.
 *
 * What waits is charged to the memory cgroup of the VM, and it is bounded. Beyond the
 * bound the call that detaches tables frees them itself. It may do so without a grace
 * period where the MMU lock is held for writing, or the VM has ended: KVM walks the
 * tables with the lock held.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

/* Tables of one VM that wait to be freed: those that map 32 GiB in pages of 4 KiB. */
#define DEFERRED_MAX (SZ_64M / PAGE_SIZE)

void stage2_tables_put(struct stage2_tables *t)
{
	if (refcount_dec_and_test(&t->refs)) {
		kfree(t->dirty);
		kfree(t);
	}
}

/* With limbo_lock held. A grace period that begins now begins after the detach. */
static void reclaim_start(struct stage2_tables *t)
{
	t->waiting = t->fresh;
	t->nwaiting = t->nfresh;
	t->fresh = (struct s2_limbo){};
	t->nfresh = 0;
	queue_rcu_work(stage2_wq, &t->work);
}

/*
 * No vCPU can run on the tables any more, and none has VTTBR_EL2 pointing to them while
 * it is in EL1 or EL0, so no walk reaches a page after it is freed. Entries of the VMID
 * may stay in TLBs. KVM gives a VMID to another VM only after a rollover, which
 * invalidates all of them. Hence there is no TLBI here. Nobody reads what the guest left
 * in its memory, so there is no clean either.
 */
static void destroy(struct stage2_tables *t)
{
	struct s2_op op = { .max_entries = 8 * S2_BUDGET_ENTRIES_MIN };
	int ret;

	while ((ret = s2_destroy(&t->s2, S2_NO_CLEAN | S2_VMID_UNUSED, &op)) == S2_MORE)
		cond_resched();
	WARN_ON(ret);
}

static void reclaim_work(struct work_struct *work)
{
	struct stage2_tables *t =
		container_of(to_rcu_work(work), struct stage2_tables, work);
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	bool more, last;

	/*
	 * A walker without the lock held for writing is in an RCU read-side section. All
	 * sections that could have seen what is in @waiting have ended. Nobody else
	 * touches @waiting until reclaiming is false.
	 */
	while (s2_release(&t->layout, &t->waiting, &op) == S2_MORE)
		cond_resched();

	spin_lock(&t->limbo_lock);
	t->nwaiting = 0;
	more = t->fresh.head;
	last = t->ended && !more;
	if (more)
		reclaim_start(t);
	else
		t->reclaiming = false;
	spin_unlock(&t->limbo_lock);
	if (more)
		return;
	/* The call that ended it was the last one on it. */
	if (last && !t->destroyed)
		destroy(t);
	stage2_tables_put(t);
}

/* With limbo_lock held: starts the worker for fresh tables, or for the end of the VM. */
static void reclaim_soon(struct stage2_tables *t)
{
	if (t->reclaiming)
		return;
	t->reclaiming = true;
	refcount_inc(&t->refs);
	reclaim_start(t);
}

/* A table of a list and what is below it, at most. */
static u64 tables_of(uint64_t link, uint64_t state)
{
	u64 below = meta_tables(state);

	return 1 + below + ((link & LINK_LEVEL) == 1 ? below * PTRS_PER_PTE : 0);
}

/*
 * Put one list in front of another. Nobody has begun to read either of them. Returns how
 * many tables have been moved, at most.
 */
static u64 limbo_move(struct stage2_tables *t, struct s2_limbo *to, struct s2_limbo *from)
{
	uint64_t link = from->head, *meta;
	u64 n = 0;

	for (;;) {
		meta = table_meta(&t->layout, s2_port_table_va(t, link_pa(link)));
		n += tables_of(link, meta[META_STATE]);
		if (!meta[META_LINK])
			break;
		link = meta[META_LINK];
	}
	meta[META_LINK] = to->head;
	to->head = from->head;
	to->tables += from->tables;
	*from = (struct s2_limbo){};
	return n;
}

/*
 * Takes over what a call has detached. May be called in any context in which KVM changes
 * tables. @exclusive: the MMU lock is held for writing.
 */
void stage2_reclaim(struct stage2_tables *t, struct s2_limbo *limbo, bool exclusive)
{
	bool full;

	if (!limbo->head)
		return;
	spin_lock(&t->limbo_lock);
	full = exclusive && t->nwaiting + t->nfresh > DEFERRED_MAX;
	if (!full) {
		/* A list has only the topmost of what was detached: it is short. */
		t->nfresh += limbo_move(t, &t->fresh, limbo);
		reclaim_soon(t);
	}
	spin_unlock(&t->limbo_lock);
	if (full)
		s2_release(&t->layout, limbo, NULL);
}

/* Takes over all the tables, and the reference of the kvm_pgtable. */
void stage2_reclaim_all(struct stage2_tables *t)
{
	u64 there = 0;

	for (int l = 0; l < S2_LEVELS; l++)
		there += t->s2.made[l] - t->s2.freed[l] - t->layout.freed[l];
	if (there > DEFERRED_MAX) {
		destroy(t);
		t->destroyed = true;
	}
	spin_lock(&t->limbo_lock);
	t->ended = true;
	reclaim_soon(t);
	spin_unlock(&t->limbo_lock);
	stage2_tables_put(t);
}

void stage2_reclaim_init(struct stage2_tables *t)
{
	refcount_set(&t->refs, 1);
	spin_lock_init(&t->limbo_lock);
	INIT_RCU_WORK(&t->work, reclaim_work);
}
