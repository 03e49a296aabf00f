/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * merged: Linux 6.12. With FWB and FEAT_TLBIRANGE the leaves' invalidation
 * waits for one range flush at the end; each table that is freed still gets a
 * full flush of its own first, because it is freed within the walk.
 */
#include "kvm.h"

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct kvm *k = run->kvm;
	bool defer = k->fwb && k->tlbirange;

	kvm_walk(k, ipa, ipa + size, WHEN_LEAF | WHEN_POST, kvm_unmap_visit, &defer);
	if (defer)
		kvm_flush_range(k, ipa, size);
	lab_step_end(run);
	return 0;
}

const struct lab_strategy strategy_merged = {
	.name = "merged",
	.says = "Linux 6.12: leaf TLBIs deferred, with FWB and TLBIRANGE",
	.must_be_safe = true,
	.on_kvm = true,
	.unmap = unmap,
};
