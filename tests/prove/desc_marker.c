/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A busy marker keeps what the later phases need of the leaf or table that it was: the
 * address, the memory type, the software bits, whose it is, and who could execute it.
 */
#include "target.c"
#include "cursor.c"
#include "plan.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t oa = nondet_u64(), d, m;
	s2_attr_t attr = nondet_u32();
	int level = nondet_u8() % 4;
	unsigned tag = nondet_u8() % S2_TAGS;

	GIVEN(attr_known(&s2, attr));
	GIVEN(oa < s2.pa_end && !(oa & (page_size(&s2) - 1)));
	d = desc_leaf(&s2, oa, attr, level);
	m = desc_make_busy(desc_keep_exec(d), tag);
	CLAIM(desc_busy(m) && !desc_valid(m) && !desc_note(m));
	CLAIM(desc_tag(m) == tag);
	CLAIM(desc_parked(m) == false);
	CLAIM(desc_oa(&s2, m) == oa);
	CLAIM(desc_is_table(m, level) == desc_is_table(d, level));
	CLAIM(desc_needs_clean(s2.features, m) == desc_needs_clean(s2.features, d));
	CLAIM((m & DESC_SW) == (d & DESC_SW) || tag);
	/* All that a counted leaf's owner is told of it, but S2_DBM. */
	if (tag)
		CLAIM(desc_attr(&s2, desc_before(m)) == (attr & ~S2_DBM));

	/* A parked leaf counts clean bytes below its size, and its address stays. */
	m = desc_make_parked(d);
	CLAIM(desc_parked(m) && desc_busy(m) && !desc_tag(m));
	CLAIM(desc_oa(&s2, m) == oa);

	m = desc_make_busy(desc_make_table(&s2, oa), tag);
	CLAIM(desc_busy(m) && desc_tag(m) == tag && desc_oa(&s2, m) == oa);
	m = desc_make_told(desc_make_table(&s2, oa));
	CLAIM(desc_busy(m) && m & DESC_REMAKE && desc_oa(&s2, m) == oa);
	REACHED();
}
