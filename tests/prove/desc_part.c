/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of a block that is split map what the block maps, each once, with the same
 * attributes.
 */
#include "target.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t oa = nondet_u64(), d, part;
	s2_attr_t attr = nondet_u32();
	int level = nondet_u8() % 3;
	uint64_t i = nondet_u64();

	GIVEN(attr_known(&s2, attr) && level >= first_block_level(&s2));
	GIVEN(oa < s2.pa_end && !(oa & (level_size(&s2, level) - 1)));
	GIVEN(i < table_entries(&s2));
	d = desc_leaf(&s2, oa, attr, level);
	part = desc_part_of_block(&s2, d, level, (unsigned)i);
	CLAIM(part ==
	      desc_leaf(&s2, oa + (i << level_shift(&s2, level + 1)), attr, level + 1));
	REACHED();
}
