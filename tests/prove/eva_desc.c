/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * No undefined behaviour when a descriptor is made or read, whatever is in it and
 * whatever is asked for, legal or not.
 */
#include "cursor.c"
#include "target.c"

void prove(void)
{
	static const uint8_t shifts[] = { 12, 14, 16 };
	struct s2 s2 = { .features = nondet_u32(),
			 .wide = nondet_u8() % 3,
			 .granule_shift = shifts[nondet_u8() % 3],
			 .oa_mask = nondet_u64(),
			 .counted = (uint16_t)nondet_u32() };
	uint64_t d = nondet_u64(), sum = 0;
	s2_attr_t attr = nondet_u32();

	/*@ loop unroll 4; */
	for (int level = 0; level <= LAST_LEVEL; level++) {
		sum += desc_leaf(&s2, nondet_u64(), attr, level);
		sum += level_size(&s2, level) + run_size(&s2, level);
		if (level < LAST_LEVEL)
			sum += desc_part_of_block(&s2, d, level, nondet_u32());
	}
	sum += desc_oa(&s2, d) + desc_attr(&s2, d) + desc_make_table(&s2, d);
	sum += desc_make_busy(d, nondet_u8()) + desc_make_parked(d) + desc_make_told(d);
	sum += desc_before(d) + desc_keep_exec(d) + desc_tag(d) + desc_kind(d);
	sum += desc_in_place(d, nondet_u64()) + desc_attr_mask(&s2) +
	       meta_of_leaf(&s2, d);
	sum += desc_needs_clean(nondet_u32(), d) + desc_make_note(nondet_u64());
	sum += attr_known(&s2, attr);
	GIVEN(sum | 1);
	REACHED();
}
