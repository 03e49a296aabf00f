/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A cursor never points outside of a table: its entry, a run of entries from it on, and
 * the entry after a step along a run; and a step to the next entry ends in a table of
 * its path.
 */
#include "cursor.c"
#include "plan.h"

/* Never read: the cursor only computes addresses. */
uint64_t *s2_port_table_meta(void *port, uint64_t *table)
{
	(void)port;
	return table;
}

void prove(void)
{
	struct s2 s2 = any_instance();
	struct step step = step_free(0);
	struct cursor c = { .s2 = &s2, .step = &step };
	uint64_t n, i, past, most = nondet_u64();
	int level;

	c.level = s2.start_level + nondet_u8() % 4;
	GIVEN(c.level <= LAST_LEVEL);
	c.shift = level_shift(&s2, c.level);
	c.ipa = nondet_u64();
	c.end = nondet_u64();
	GIVEN(c.ipa < c.end && c.end <= s2.ipa_end);

	i = c.ipa >> c.shift;
	if (c.level != s2.start_level)
		i &= table_entries(&s2) - 1;
	else
		CLAIM(i < (uint64_t)s2.root_pages * table_entries(&s2));
	CLAIM(cursor_entry(&c) == c.table[c.level] + i);
	/* The root's metadata: that of the page that the entry is in. */
	if (c.level == s2.start_level)
		CLAIM(cursor_meta(&c) ==
		      c.table[c.level] + i / table_entries(&s2) * table_entries(&s2));

	/* A run ends in the same table and before the range's end. */
	n = cursor_run(&c, most);
	CLAIM(n <= most);
	CLAIM(i % table_entries(&s2) + n <= table_entries(&s2));
	CLAIM(!n || cursor_base(&c) + (n << c.shift) <= c.end);

	/* On to the next entry: nothing is left out, and the level is one of the path. */
	past = cursor_past(&c);
	level = c.level;
	cursor_next(&c);
	CLAIM(c.ipa == past);
	CLAIM(c.level >= s2.start_level && c.level <= level);
	CLAIM(c.shift == level_shift(&s2, c.level));
	/* In the same table as before at that level, unless it is the root's end. */
	if (c.level > s2.start_level)
		CLAIM(c.ipa >> c.shift & (table_entries(&s2) - 1));
	REACHED();
}
