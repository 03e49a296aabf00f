/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * review: the first list in the review of the patch. The walk cleans without DSBs and
 * issues no TLBI. After the walk come one DSB and one invalidation of the range, and then
 * the tables are freed.
 */
#include <stdlib.h>

#include "kvm.h"

struct review {
	bool cleaned;
	uint64_t *removed; /* tables to free after the invalidation */
	size_t n, room;
};

static void visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when, void *arg)
{
	struct review *r = arg;
	uint64_t out = desc_addr(k, v->desc);

	if (!desc_is_valid(v->desc))
		return;
	if (when == WHEN_POST && *kvm_refs(k, out) != k->floor)
		return;
	kvm_clear(k, v->entry, 0);
	kvm_drop(k, v->entry);
	if (when == WHEN_LEAF) {
		if (!k->fwb && desc_is_cacheable(v->desc)) {
			s2m_cache(k->m, k->pe, S2M_DC_CIVAC, out,
				  entry_size(k, v->level));
			r->cleaned = true;
		}
		return;
	}
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->removed = realloc(r->removed, r->room * sizeof(*r->removed));
		if (!r->removed)
			abort();
	}
	r->removed[r->n++] = out;
}

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct kvm *k = run->kvm;
	struct review r = { 0 };

	kvm_walk(k, ipa, ipa + size, WHEN_LEAF | WHEN_POST, visit, &r);
	/* This DSB completes the cleans and makes the writes visible to walkers. */
	s2m_barrier(k->m, k->pe, r.cleaned ? S2M_DSB_SY : S2M_DSB_ISHST);
	if (k->tlbirange) {
		kvm_tlbi_range(k, ipa, size >> k->page_shift);
		kvm_tlbi_finish(k);
	} else {
		s2m_tlbi(k->m, k->pe, S2M_VMALLS12E1IS, 0);
		s2m_barrier(k->m, k->pe, S2M_DSB_ISH);
		s2m_barrier(k->m, k->pe, S2M_ISB);
	}
	for (size_t i = 0; i < r.n; i++)
		kvm_table_free(k, r.removed[i]);
	free(r.removed);
	lab_step_end(run);
	return 0;
}

const struct lab_strategy strategy_review = {
	.name = "review",
	.says = "cleans in the walk, one invalidation after it",
	.on_kvm = true,
	.work = { [LAB_UNMAP] = unmap },
};
