// SPDX-License-Identifier: GPL-2.0-only
/*
 * One batch for one hypercall. Between its extents the p2m lock is dropped, so another
 * PE may change the same p2m. What it does beside the batch's range goes on; at the
 * range it flushes the batch first (p2m.c).
 */
#include <xen/param.h>

#include "xen_port.h"

bool __read_mostly stage2_no_alloc_flush;
boolean_param("stage2-no-alloc-flush", stage2_no_alloc_flush);

static DEFINE_PER_CPU(struct stage2_batch, stage2_batches);

struct s2_batch *stage2_own_batch(struct stage2 *t)
{
	return t->batch && t->owner == smp_processor_id() ? &t->batch->b : NULL;
}

void stage2_batch_begin(struct domain *d, unsigned int pages)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = p2m->stage2;
	struct stage2_batch *batch = &this_cpu(stage2_batches);

	/* One page is cheaper without. */
	if (pages < 2)
		return;
	p2m_write_lock(p2m);
	/* Of two hypercalls on one domain the second does without. */
	if (!t->batch && !s2_batch_begin(&t->s2, &batch->b)) {
		batch->n = 0;
		t->batch = batch;
		t->owner = smp_processor_id();
	}
	p2m_write_unlock(p2m);
}

int stage2_flush(struct stage2 *t)
{
	if (!t->batch)
		return 0;
	return stage2_errno(t, s2_batch_flush(&t->s2, &t->batch->b, NULL));
}

/* By the owner, without the lock, when what they were unmapped from is invalidated. */
static void give_back(struct stage2 *t, struct stage2_batch *batch)
{
	for (unsigned int i = 0; i < batch->n && !t->failed; i++) {
		struct page_info *page = (void *)(batch->waiting[i] & ~1ul);

		if (batch->waiting[i] & 1)
			put_page_alloc_ref(page);
		put_page(page);
	}
	batch->n = 0;
}

bool stage2_batch_wait(struct domain *d, struct page_info *page, bool allocation)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = p2m->stage2;
	struct stage2_batch *batch = &this_cpu(stage2_batches);

	if (t->batch != batch)
		return false;
	if (batch->n == STAGE2_WAITING) {
		p2m_write_lock(p2m);
		stage2_flush(t);
		p2m_write_unlock(p2m);
		give_back(t, batch);
	}
	batch->waiting[batch->n++] = (unsigned long)page | allocation;
	return true;
}

void stage2_batch_end(struct domain *d)
{
	struct p2m_domain *p2m = p2m_get_hostp2m(d);
	struct stage2 *t = p2m->stage2;
	struct stage2_batch *batch = &this_cpu(stage2_batches);

	if (t->batch != batch)
		return;
	p2m_write_lock(p2m);
	stage2_errno(t, s2_batch_end(&t->s2, &batch->b, NULL));
	t->batch = NULL;
	p2m_write_unlock(p2m);
	give_back(t, batch);
}
