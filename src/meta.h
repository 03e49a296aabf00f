/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The metadata of a table: two words, the embedder's memory, the engine's content.
 *
 * The state word is a summary of the table. It finds a table whose last entry goes
 * without a scan (P11), and it says which tables need not be read (P6):
 *
 *   [13:0]  live    entries that are valid, or will be again (DESC_REMAKE), or that are
 *                   parked leaves
 *   [27:14] tables  entries that are a table, valid or busy
 *   [41:28] busy    entries that are busy, and not counted as live
 *   [55:42] notes   empty entries that hold an owner's annotation
 *   [56]    clean   a leaf that needs cleaning was ever put in it or below it
 *   [57]    dead    nothing may be put in it any more: it is about to be detached
 *   [58]    dbm     a leaf whose dirty state hardware keeps was ever put in or below it
 *   [59]    noted   an annotation was ever put in it or below it
 *   [60]    parked  a leaf was ever parked in it or below it
 *   [61]    counted a counted leaf was ever put in it or below it
 *   [62]    told    it is detached, and whoever did it looks for counted leaves in it
 *   [63]    owed    a shared call that does not waive cleans went down into it
 *
 * A count has 14 bits: a table has at most 8,192 entries (64 KiB granule), and each
 * shared call adds at most one to a count before it takes it back (S2_TAGS bounds those
 * that break; a map counts one entry at a time). So no count reaches the next field while
 * fewer than 8,191 PEs map in one table at the same moment.
 *
 * The link chains tables that are on a list (limbo, a reserve): PA | present | level.
 * While a table is in a reserve for a split, the state word holds the descriptor of the
 * block that it was filled for. Late lockless walkers may count in the state word of a
 * table in limbo, so the link is a word of its own.
 */
#ifndef STAGE2_SRC_META_H
#define STAGE2_SRC_META_H

#include "desc.h"

enum { META_STATE, META_LINK };

#define META_FIELD UINT64_C(0x3fff)
#define META_LIVE_ONE UINT64_C(1)
#define META_TABLE_SHIFT 14
#define META_TABLE_ONE (UINT64_C(1) << META_TABLE_SHIFT)
#define META_BUSY_SHIFT 28
#define META_BUSY_ONE (UINT64_C(1) << META_BUSY_SHIFT)
#define META_NOTE_SHIFT 42
#define META_NOTE_ONE (UINT64_C(1) << META_NOTE_SHIFT)
/* All of the counts: 0 if nothing is in the table. */
#define META_COUNTS (META_CLEAN - 1)
#define META_CLEAN (UINT64_C(1) << 56)
#define META_DEAD (UINT64_C(1) << 57)
#define META_DBM (UINT64_C(1) << 58)
#define META_NOTED (UINT64_C(1) << 59)
#define META_PARKED (UINT64_C(1) << 60)
#define META_COUNTED (UINT64_C(1) << 61)
#define META_TOLD (UINT64_C(1) << 62)
#define META_OWED (UINT64_C(1) << 63)

#define LINK_LEVEL UINT64_C(3)
#define LINK_PRESENT (UINT64_C(1) << 2)
#define LINK_FLAGS UINT64_C(0xfff)

static inline uint64_t link_pa(uint64_t link)
{
	return link & ~LINK_FLAGS;
}

static inline unsigned meta_live(uint64_t state)
{
	return (unsigned)(state & META_FIELD);
}

static inline unsigned meta_tables(uint64_t state)
{
	return (unsigned)(state >> META_TABLE_SHIFT & META_FIELD);
}

static inline unsigned meta_busy(uint64_t state)
{
	return (unsigned)(state >> META_BUSY_SHIFT & META_FIELD);
}

static inline unsigned meta_notes(uint64_t state)
{
	return (unsigned)(state >> META_NOTE_SHIFT & META_FIELD);
}

/* Something that needs a clean was put into the table, and something is in it. */
static inline bool meta_cleanable(uint64_t state)
{
	return state & META_CLEAN && meta_live(state) + meta_busy(state);
}

/* What a table in which leaf @d is, and every table above, has to remember of it. */
static inline uint64_t meta_of_leaf(const struct s2 *s2, uint64_t d)
{
	return (desc_needs_clean(s2->features, d) ? META_CLEAN : 0) |
	       (d & DESC_DBM ? META_DBM : 0) | (desc_counted(s2, d) ? META_COUNTED : 0);
}

static inline uint64_t *table_meta(const struct s2 *s2, uint64_t *table)
{
	return s2_port_table_meta(s2->port, table);
}

static inline uint64_t state_of(const struct s2 *s2, uint64_t *meta)
{
	return s2_port_word_load(s2->port, &meta[META_STATE]);
}

/* The table that entry @d is, in a loop that has read the instance's layout before. */
static inline uint64_t *table_in(const struct s2 *s2, uint64_t mask, unsigned wide,
				 uint64_t d)
{
	return s2_port_table_va(s2->port, desc_oa_in(mask, wide, d));
}

uint64_t *table_of(const struct s2 *s2, uint64_t d);

/* The state word of the table that entry @d is, or was. */
uint64_t state_below(const struct s2 *s2, uint64_t d);

#endif /* STAGE2_SRC_META_H */
