/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counts of a state word do not reach into each other, nor into the flags: each
 * addition that the engine makes changes the counts that it means, and nothing else,
 * while every count stays below 2^14.
 */
#include "internal.h"
#include "plan.h"

struct counts {
	int64_t live, tables, busy, notes;
	uint64_t flags;
};

static struct counts counts_of(uint64_t state)
{
	return (struct counts){ meta_live(state), meta_tables(state), meta_busy(state),
				meta_notes(state), state & ~META_COUNTS };
}

static bool fits(int64_t count)
{
	return count >= 0 && count < 1 << 14;
}

/* So many entries are counted in, or out: at most all of a table of 64 KiB. */
static int64_t change(void)
{
	return (int64_t)(nondet_u64() % 16384) - 8192;
}

void prove(void)
{
	uint64_t state = nondet_u64();
	struct counts was = counts_of(state), now;
	int64_t live = change(), tables = change(), busy = change(), notes = change();

	GIVEN(fits(was.live + live) && fits(was.tables + tables));
	GIVEN(fits(was.busy + busy) && fits(was.notes + notes));
	/* At once, as the engine does for one entry or for a run of them. */
	now = counts_of(state + (uint64_t)live * META_LIVE_ONE +
			(uint64_t)tables * META_TABLE_ONE +
			(uint64_t)busy * META_BUSY_ONE + (uint64_t)notes * META_NOTE_ONE);
	CLAIM(now.live == was.live + live);
	CLAIM(now.tables == was.tables + tables);
	CLAIM(now.busy == was.busy + busy);
	CLAIM(now.notes == was.notes + notes);
	CLAIM(now.flags == was.flags);
	/* Empty is what all counts are 0 in. */
	CLAIM(!(state & META_COUNTS) ==
	      (!was.live && !was.tables && !was.busy && !was.notes));
	REACHED();
}
