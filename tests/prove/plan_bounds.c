/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A plan for any range, stride and level has one to S2_PLAN_OPS operations, or none for
 * an empty range: nothing is written past its array. One for the whole VMID has nothing
 * else.
 */
#include "inval.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_layout();
	uint64_t size = nondet_u64(), ipa = nondet_u64();
	struct s2_plan plan;

	GIVEN(ipa < PROVE_IPA_END && size <= PROVE_IPA_END - ipa);
	plan_range(&s2, ipa, size, level_size(&s2, PROVE_LEVEL), nondet_u8() % 4, &plan);
	CLAIM(!plan.n == !size);
	CLAIM(plan.n <= S2_PLAN_OPS);
	for (unsigned i = 0; i < plan.n; i++)
		CLAIM(plan.op[i] != S2_TLBI_VMALLS12E1IS ||
		      (plan.n == 1 && plan.beyond == UINT64_MAX));
	REACHED();
}
