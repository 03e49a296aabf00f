/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whatever is in the tables: a lookup, a translation and the look at the edges of a
 * range read only entries of the root or of a table that they have come to, for any
 * address, and end after as many levels as there are.
 */
#include "cursor.c"
#include "inspect.c"
#include "edges.c"
#include "anything.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t ipa = nondet_u64(), edge = nondet_u64();
	struct s2_leaf leaf;
	struct place p;

	open_tables(&s2);
	if (s2_translate(&s2, s2_ipa(ipa), &leaf))
		CLAIM(ipa < s2.ipa_end || !loads);
	else
		CLAIM(loads && loads <= 4 && desc_valid_leaf(leaf.desc, leaf.level));
	loads = 0;
	if (ipa < s2.ipa_end) {
		p = walk_any(&s2, ipa);
		CLAIM(p.level >= s2.start_level && p.level <= LAST_LEVEL);
		CLAIM(loads == (uint64_t)(p.level - s2.start_level) + 1);
	}
	GIVEN(edge <= s2.ipa_end && !(edge & (page_size(&s2) - 1)));
	CLAIM(edge_level(&s2, edge, true) <= LAST_LEVEL);
	REACHED();
}
