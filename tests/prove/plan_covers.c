/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plan covers every granule of the range, has at most S2_PLAN_OPS operations, and
 * beyond is what it covers outside of the range, exactly.
 */
#include "inval.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_layout();
	const uint64_t stride = level_size(&s2, PROVE_LEVEL);
	uint64_t size = nondet_u64(), ipa = nondet_u64(), at = nondet_u64(), beyond = 0;
	struct s2_plan plan;
	bool found = false;

	GIVEN(size && !((ipa | size) & (page_size(&s2) - 1)));
	GIVEN(ipa < PROVE_IPA_END && size <= PROVE_IPA_END - ipa);
	GIVEN(at >= ipa && at - ipa < size);
	GIVEN(size >> PROVE_GRANULE >> PROVE_SIZE_BITS == 0);
	plan_range(&s2, ipa, size, stride, 0, &plan);
	CLAIM(plan.n >= 1 && plan.n <= S2_PLAN_OPS);
	for (unsigned i = 0; i < plan.n; i++) {
		uint64_t from, past;

		if (plan.op[i] == S2_TLBI_VMALLS12E1IS) {
			CLAIM(plan.n == 1);
			found = true;
			beyond = UINT64_MAX;
		} else if (plan.op[i] == S2_TLBI_IPAS2E1IS) {
			/* The leaf there, which is a stride at least. */
			from = operand_address(plan.operand[i]) / stride;
			CLAIM(from >= ipa / stride && from <= (ipa + size - 1) / stride);
			found |= from == at / stride;
		} else {
			from = range_address(plan.operand[i]);
			past = from + range_bytes(plan.operand[i]);
			found |= at >= from && at < past;
			beyond += from < ipa ? ipa - from : 0;
			beyond += past > ipa + size ? past - (ipa + size) : 0;
		}
	}
	CLAIM(found);
	CLAIM(plan.beyond == beyond);
	REACHED();
}
