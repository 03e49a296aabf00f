/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is put into a leaf or a table descriptor is what is read from it: address,
 * attributes, and which of the two it is.
 */
#include "target.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t oa = nondet_u64(), d;
	s2_attr_t attr = nondet_u32();
	int level = nondet_u8() % 4;

	GIVEN(attr_known(&s2, attr));
	GIVEN(oa < s2.pa_end && !(oa & (page_size(&s2) - 1)));
	d = desc_leaf(&s2, oa, attr, level);
	CLAIM(desc_valid_leaf(d, level) && !desc_busy(d) && !desc_note(d));
	CLAIM(desc_oa(&s2, d) == oa);
	CLAIM(desc_attr(&s2, d) == attr);
	/* Nothing is set that an address or an attribute has not asked for. */
	CLAIM(!(d & ~(desc_oa_mask(&s2) | (wide_of(&s2) == S2_WIDE_LPA ? 0xf000 : 0) |
		      DESC_SH | desc_attr_mask(&s2) | DESC_AF)));
	/* Once more from what was read: the same descriptor. */
	CLAIM(desc_leaf(&s2, desc_oa(&s2, d), desc_attr(&s2, d), level) == d);

	d = desc_make_table(&s2, oa);
	CLAIM(desc_oa(&s2, d) == oa);
	CLAIM(desc_valid(d) && desc_is_table(d, level) == (level < LAST_LEVEL));
	CLAIM(desc_walks(d));
	REACHED();
}
