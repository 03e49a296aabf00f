/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Range operations for a number of pages are adjacent, reach as far as the planner thinks
 * that they do, and are as many as it has counted.
 */
#include "inval.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_layout();
	const unsigned unit = base_shift(&s2);
	uint64_t pages = nondet_u64(), ipa = nondet_u64(), past, at;
	int scale = nondet_u8() % 5 - 1;
	struct s2_plan plan = { .n = 0 };
	struct cover c;

	GIVEN(pages <= UINT64_C(1) << RANGE_MAX_SHIFT && ipa < PROVE_IPA_END);
	GIVEN(!(ipa & ((UINT64_C(1) << unit) - 1)));
	c = cover_at(pages, scale);
	if (scale < 0)
		CLAIM(c.pages == (pages & ~UINT64_C(1)));
	else
		CLAIM(c.pages >= pages &&
		      c.pages - pages < UINT64_C(1) << scale_shift(scale));
	/* Scale 3 and more than 2^21 - 2^16 pages: rounded up to all of them. */
	CLAIM(c.pages <= UINT64_C(1) << RANGE_MAX_SHIFT);
	GIVEN(c.pages << PROVE_GRANULE <= PROVE_IPA_END - ipa);

	past = plan_ranges(&s2, &plan, ipa, c.pages, 0);
	CLAIM(past == ipa + (c.pages << PROVE_GRANULE));
	CLAIM(plan.n == c.ops - (scale < 0 ? pages & 1 : 0));
	at = ipa;
	for (unsigned i = 0; i < plan.n; i++) {
		CLAIM(plan.op[i] == S2_TLBI_RIPAS2E1IS);
		CLAIM(range_address(plan.operand[i]) == at);
		at += range_bytes(plan.operand[i]);
	}
	CLAIM(at == past);
	REACHED();
}
