/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inval.c"
#include "config.c"

void prove(void)
{
	struct s2_config cfg = {
		.ipa_bits = nondet_u8(),
		.pa_bits = nondet_u8(),
		.granule_shift = nondet_u8(),
		.features = nondet_u32(),
	};
	struct s2_plan plan;
	uint64_t stride = UINT64_C(1) << (nondet_u8() % 64);
	int level = nondet_u8() % 4;

	GIVEN(!check_granule(&cfg));
	s2_plan_range(&cfg, nondet_u64(), nondet_u64(), stride, level, &plan);
	REACHED();
}
