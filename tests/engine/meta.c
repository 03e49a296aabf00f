/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* White box: the metadata words against what is in the tables. */
#include <inttypes.h>
#include <stdio.h>

#include "internal.h"
#include "flat.h"

/*
 * Whether all members of the run that entry @idx is of are there, and alike. Hardware
 * would record the dirty state of one in any other.
 */
static bool run_is_whole(const struct s2 *s2, uint64_t *table, unsigned idx, int level)
{
	unsigned n = (unsigned)(run_size(s2, level) >> level_shift(s2, level));
	unsigned first = n ? idx & ~(n - 1) : 0;
	uint64_t d = s2_port_load(s2->port, &table[first]);

	if (!n || desc_oa(s2, d) & (run_size(s2, level) - 1) || d & DESC_DBM)
		return false;
	for (unsigned i = 0; i < n; i++, d += level_size(s2, level))
		if (s2_port_load(s2->port, &table[first + i]) != d)
			return false;
	return true;
}

const char *meta_look(const struct s2 *s2, struct meta_seen *seen)
{
	static char text[160];
	struct {
		uint64_t *table;
		unsigned idx, live, below, notes;
	} stack[S2_LEVELS];
	int level = s2->start_level;
	unsigned root = 0, entries = table_entries(s2);

	*seen = (struct meta_seen){ 0 };
	stack[level].table = s2->root;
	stack[level].idx = stack[level].live = stack[level].below = 0;
	stack[level].notes = 0;
	for (;;) {
		uint64_t *word = table_meta(s2, stack[level].table);
		uint64_t meta = word[META_STATE], d;

		if (stack[level].idx == entries) {
			if (meta_live(meta) != stack[level].live ||
			    meta_tables(meta) != stack[level].below || meta_busy(meta) ||
			    meta_notes(meta) != stack[level].notes ||
			    meta & (META_DEAD | META_TOLD) || word[META_LINK]) {
				snprintf(text, sizeof(text),
					 "level %d: live %u tables %u, meta 0x%" PRIx64,
					 level, stack[level].live, stack[level].below,
					 meta);
				return text;
			}
			/* The root is as many tables, one after the other. */
			if (level == s2->start_level) {
				if (++root == s2->root_pages)
					return NULL;
				stack[level].table += entries;
				stack[level].idx = stack[level].notes = 0;
				stack[level].live = stack[level].below = 0;
				continue;
			}
			if (!stack[level].live && !stack[level].notes) {
				seen->empty++;
				seen->noted += !!(meta & META_NOTED);
			}
			level--;
			continue;
		}
		/* No event of the machine: nobody but the test looks. */
		d = stack[level].table[stack[level].idx++];
		if (desc_parked(d)) {
			stack[level].live++;
			seen->parked++;
			if (~meta & (META_PARKED | META_CLEAN))
				return "a parked leaf in a table that does not say so";
			if (level == LAST_LEVEL || desc_is_table(d, level) ||
			    !desc_needs_clean(s2->features, d))
				return "what is parked is no block to be cleaned";
			continue;
		}
		if (desc_busy(d))
			return "a busy entry";
		if (desc_note(d)) {
			stack[level].notes++;
			if (!(meta & META_NOTED))
				return "an annotation in a table without META_NOTED";
		}
		if (!desc_valid(d))
			continue;
		stack[level].live++;
		if (!desc_is_table(d, level)) {
			if (meta_of_leaf(s2, d) & ~meta)
				return "a leaf to clean, with DBM, or counted, in a table "
				       "that does not say so";
			if (d & DESC_CONT && !run_is_whole(s2, stack[level].table,
							   stack[level].idx - 1, level))
				return "a contiguous run that is none";
			continue;
		}
		stack[level].below++;
		seen->tables++;
		level++;
		stack[level].table = s2_port_table_va(s2->port, desc_oa(s2, d));
		stack[level].idx = stack[level].live = stack[level].below = 0;
		stack[level].notes = 0;
		if (table_meta(s2, stack[level].table)[META_STATE] &
		    (META_CLEAN | META_DBM | META_NOTED | META_PARKED | META_COUNTED) &
		    ~meta)
			return "a flag below a table without it";
	}
}

const char *meta_check(const struct s2 *s2, uint64_t *tables)
{
	struct meta_seen seen;
	const char *what = meta_look(s2, &seen);

	*tables = seen.tables;
	if (!what && seen.parked)
		what = "a parked leaf";
	if (!what && seen.empty)
		what = "an empty table";
	return what;
}
