/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * entry: clears and invalidates the entries one by one. KVM did this until 6.5, and 6.12
 * still does it without FWB or without FEAT_TLBIRANGE.
 */
#include "kvm.h"

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
