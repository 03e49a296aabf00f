/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An invalidation has a level hint only if every leaf that was gathered is of that level
 * and no table entry was removed; in TLBIs of one address only with FEAT_TTL.
 */
#include "inval.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_layout();
	struct s2_gather g = { .start = nondet_u64(),
			       .end = nondet_u64(),
			       .stride = level_size(&s2, PROVE_LEVEL),
			       .levels = nondet_u8(),
			       .table = nondet_u8() % 2 };
	const uint64_t in = page_size(&s2) - 1;
	struct s2_plan plan;

	GIVEN(g.start < g.end && g.end <= PROVE_IPA_END);
	GIVEN(!(g.start & in) && !(g.end & in));
	plan_gather(&s2, &g, &plan);
	for (unsigned i = 0; i < plan.n; i++) {
		uint64_t hint = 0;

		/* TTL[1:0]: the level. */
		if (plan.op[i] == S2_TLBI_IPAS2E1IS)
			hint = plan.operand[i] >> 44 & 3;
		else if (plan.op[i] == S2_TLBI_RIPAS2E1IS)
			hint = plan.operand[i] >> 37 & 3;
		if (hint) {
			CLAIM(!g.table);
			CLAIM(g.levels == 1u << hint);
			CLAIM(plan.op[i] != S2_TLBI_IPAS2E1IS ||
			      s2.features & S2_FEAT_TTL);
		}
	}
	REACHED();
}
