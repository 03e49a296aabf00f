/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What holds whenever no call runs, at the end or before: each table's words say what is
 * in it, no table is empty, and every marker is one that may outlive its call.
 */
#include "judge.h"

/* What a table with such an entry, and all above, must say that they may hold. */
static uint64_t remembered(uint64_t d)
{
	if (desc_note(d))
		return META_NOTED;
	return (desc_needs_clean(world.s2.features, d) ? META_CLEAN : 0) |
	       (d & DESC_DBM ? META_DBM : 0) | (sc->counted ? META_COUNTED : 0);
}

/* Calls that have returned S2_MORE; @parks: that may have left a block parked. */
static unsigned under_way(bool parks)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALLS; i++)
		n += world.call[i].stepped &&
		     (!parks || (sc->locked && !sc->call[i].shared));
	return n;
}

struct seen {
	unsigned made[S2_LEVELS]; /* tables, by their level */
	unsigned parked;
};

/*
 * A marker that nobody who is in a call has put there: of a block whose clean is under
 * way in steps, or of the open batch.
 */
static bool may_stay(uint64_t d, int level, struct seen *seen)
{
	if (!sc->locked || d & DESC_REMAKE)
		return false;
	if (!desc_parked(d))
		return world.s2.batch && desc_tag(d) && world.s2.tags >> desc_tag(d) & 1;
	if (desc_is_table(d, level) || level == 3)
		return false;
	return ++seen->parked <= under_way(true);
}

/* @above: what the tables on the way say that they may hold. */
static void count_table(unsigned page, int level, bool root, uint64_t above,
			struct seen *seen)
{
	const uint64_t *table = &arena[page * ENTRIES];
	uint64_t state = world.meta[page][META_STATE];
	unsigned live = 0, tables = 0, notes = 0, busy = 0, parked = seen->parked;

	above &= state;
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t d = table[i];

		if (!d)
			continue;
		if (desc_busy(d)) {
			if (!may_stay(d, level, seen))
				violation("marker-left", "page %u entry %u: 0x%llx", page,
					  i, (unsigned long long)d);
			busy += !desc_parked(d);
			live += desc_parked(d);
			tables += desc_is_table(d, level);
			continue;
		}
		notes += desc_note(d);
		live += desc_valid(d);
		if (desc_valid_table(d, level)) {
			tables++;
			seen->made[level + 1]++;
			count_table((unsigned)mem_page(d & UINT64_C(0xfffffffff000)),
				    level + 1, false, above, seen);
		} else if (remembered(d) & ~above) {
			violation("metadata",
				  "0x%llx is in page %u: it, or one above, "
				  "does not remember that",
				  (unsigned long long)d, page);
		}
	}
	if (seen->parked != parked && !(above & META_PARKED))
		violation("metadata", "page %u: a block is parked in it or below", page);
	if (meta_live(state) != live || meta_tables(state) != tables ||
	    meta_notes(state) != notes || meta_busy(state) != busy ||
	    state & (META_DEAD | META_TOLD))
		violation("metadata",
			  "page %u: live %u tables %u notes %u busy %u, "
			  "its word says 0x%llx",
			  page, live, tables, notes, busy, (unsigned long long)state);
	/*
	 * A map counts the annotation out after its swap: who takes that page away
	 * between the two leaves the table for the next one. And who will be called
	 * again may have that still to do.
	 */
	if (!live && !notes && !busy && !root && !(state & META_NOTED) &&
	    !under_way(false))
		violation("empty-table-left", "page %u", page);
}

static void look_at_tables(struct seen *seen)
{
	*seen = (struct seen){ 0 };
	count_table((unsigned)mem_index(world.s2.root) / ENTRIES, world.s2.start_level,
		    true, UINT64_MAX, seen);
}

void rest_between_calls(void)
{
	struct seen seen;
	uint64_t tags = world.s2.tags & (sc->one_tag ? UINT64_C(2) : ~UINT64_C(1));

	for (int i = 0; i < THREADS; i++)
		if (world.thread[i].in_section)
			return;
	look_at_tables(&seen);
	if (tags && !(sc->locked && world.s2.batch && !(tags & (tags - 1))))
		violation("tag-left", "0x%llx", (unsigned long long)tags);
}

void rest_at_end(void)
{
	struct seen seen;

	look_at_tables(&seen);
	for (int l = 0; l < S2_LEVELS; l++)
		if (world.s2.made[l] - world.s2.freed[l] != seen.made[l])
			violation("statistics",
				  "level %d: %llu tables made, %llu freed, %u there", l,
				  (unsigned long long)world.s2.made[l],
				  (unsigned long long)world.s2.freed[l], seen.made[l]);
}

/* A tag that is free again marks nothing that a walk can come to. */
void rest_tags(uint64_t freed)
{
	for (unsigned page = 0; freed && page < PAGES; page++) {
		if (world.page[page].state != PAGE_PUBLISHED || !pe_linked(page))
			continue;
		for (uint32_t e = page * ENTRIES; e < (page + 1) * ENTRIES; e++)
			if (desc_busy(arena[e]) && desc_tag(arena[e]) &&
			    freed >> desc_tag(arena[e]) & 1)
				violation("tag-freed-early", "page %u entry %u: 0x%llx",
					  page, e % ENTRIES,
					  (unsigned long long)arena[e]);
	}
}
