// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detached tables on their way to the allocator: a grace period, then a worker
 * frees them. One grace period at a time for each VM; what is detached while one
 * runs waits for the next, so a VM costs one callback however often it unmaps.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

void stage2_tables_put(struct stage2_tables *t)
{
	if (refcount_dec_and_test(&t->refs))
		kfree(t);
}

/* With limbo_lock held. A grace period that begins now is one after the detach. */
static void reclaim_start(struct stage2_tables *t)
{
	t->waiting = t->fresh;
	t->fresh = (struct s2_limbo){};
	queue_rcu_work(system_unbound_wq, &t->work);
}

static void reclaim_work(struct work_struct *work)
{
	struct stage2_tables *t =
		container_of(to_rcu_work(work), struct stage2_tables, work);
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	bool more;

	/*
	 * Whoever walks the tables without the lock held for writing is in an RCU
	 * read section: all that could have seen what is in @waiting have ended.
	 * Nobody else touches @waiting until reclaiming is false.
	 */
	while (s2_release(&t->layout, &t->waiting, &op) == S2_MORE)
		cond_resched();

	spin_lock(&t->limbo_lock);
	more = t->fresh.head;
	if (more)
		reclaim_start(t);
	else
		t->reclaiming = false;
	spin_unlock(&t->limbo_lock);
	if (!more)
		stage2_tables_put(t);
}

/* Take over what a call has detached. Any context in which KVM changes tables. */
void stage2_reclaim(struct stage2_tables *t, struct s2_limbo *limbo)
{
	if (!limbo->head)
		return;
	spin_lock(&t->limbo_lock);
	/* Few tables: a list holds the topmost of what was detached. */
	limbo_move(&t->layout, &t->fresh, limbo);
	if (!t->reclaiming) {
		t->reclaiming = true;
		refcount_inc(&t->refs);
		reclaim_start(t);
	}
	spin_unlock(&t->limbo_lock);
}

void stage2_reclaim_init(struct stage2_tables *t)
{
	refcount_set(&t->refs, 1);
	spin_lock_init(&t->limbo_lock);
	INIT_RCU_WORK(&t->work, reclaim_work);
}
