/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * entry: clear and invalidate each entry, one after the other. What KVM did
 * until 6.5, and what 6.12 still does without FWB or without FEAT_TLBIRANGE.
 */
#include "kvm.h"

void kvm_unmap_visit(struct kvm *k, const struct kvm_visit *v, enum kvm_when when,
		     void *arg)
{
	bool defer = *(const bool *)arg;
	uint64_t out = desc_addr(k, v->desc);

	if (!desc_is_valid(v->desc)) {
		if (v->desc) {
			kvm_clear(k, v->entry, 0);
			kvm_drop(k, v->entry);
		}
		return;
	}
	if (when == WHEN_POST) {
		if (*kvm_refs(k, out) != k->floor)
			return;
		kvm_clear(k, v->entry, 0);
		kvm_flush_ipa(k, v->ipa, 0);
		kvm_drop(k, v->entry);
		kvm_table_free(k, out);
		return;
	}
	kvm_clear(k, v->entry, 0);
	if (!defer)
		kvm_flush_ipa(k, v->ipa, v->level);
	kvm_drop(k, v->entry);
	if (!k->fwb && desc_is_cacheable(v->desc)) {
		s2m_cache(k->m, k->pe, S2M_DC_CIVAC, out, entry_size(k, v->level));
		s2m_barrier(k->m, k->pe, S2M_DSB_SY);
	}
}

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	bool defer = false;

	kvm_walk(run->kvm, ipa, ipa + size, WHEN_LEAF | WHEN_POST, kvm_unmap_visit,
		 &defer);
	lab_step_end(run);
	return 0;
}

const struct lab_strategy strategy_entry = {
	.name = "entry",
	.says = "clear, TLBI and DSBs for each entry (KVM until 6.5)",
	.must_be_safe = true,
	.on_kvm = true,
	.work = { [LAB_UNMAP] = unmap },
};
