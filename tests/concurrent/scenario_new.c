/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps of what is mapped already: S2_MAP_NEW, which changes nothing that is; the same
 * memory in a larger block, which stays; a part of one that gets other permissions.
 */
#include "calls.h"
#include "scenarios.h"

#define NEW(t, at, frame, attr) \
	MAP_WITH(t, at, PAGE, frame, attr, S2_MAP_PAGES | S2_MAP_NEW)
#define NEW_REPLACE(t, at, frame, attr) \
	MAP_WITH(t, at, PAGE, frame, attr, S2_MAP_PAGES | S2_MAP_NEW | S2_MAP_REPLACE)
#define NEW_BLOCK(t, at, frame, attr) \
	MAP_WITH(t, at, BLOCK, frame, attr, S2_MAP_NEW | S2_MAP_REPLACE)
#define SPLITTING(t, at, frame, attr) \
	MAP_WITH(t, at, PAGE, frame, attr, S2_MAP_PAGES | S2_SPLIT_EDGES)

static const struct scenario scenarios[] = {
	/* ---- where nothing is: the first of two maps it ---- */
	{ .name = "new: map, map of one page, other permissions",
	  .call = { NEW(T1, A, F0, RW), NEW(T2, A, F0, S2_R) },
	  .watch = { A },
	  .outcomes = "A | a" },
	{ .name = "new: map, map of one page, other frames",
	  .call = { NEW(T1, A, F0, RW), NEW(T2, A, F1, RW) },
	  .watch = { A },
	  .outcomes = "A | B" },
	{ .name = "new: map with write permission, wrprotect",
	  .call = { MAP(AT_FIRST, A, F0), NEW(T1, A, F0, RW), WRPROTECT(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "a" },
	{ .name = "new: map of the unmapped page with write permission, wrprotect",
	  .call = { NEW(T1, A, F0, RW), WRPROTECT(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "A | a" },
	{ .name = "new: map without write permission, relax",
	  .call = { MAP_RO(AT_FIRST, A, F0), NEW(T1, A, F0, S2_R), RELAX(T2, A) },
	  .watch = { A },
	  .outcomes = "A" },
	{ .name = "new: map without write permission, unmap",
	  .call = { MAP(AT_FIRST, A, F0), NEW(T1, A, F0, S2_R), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | a" },
	{ .name = "new: map, replace of the page",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, A, F0), NEW(T1, A, F2, S2_R), REPLACE(T2, A, F1) },
	  .watch = { A },
	  .outcomes = "C" },

	/* ---- where other memory is, too ---- */
	{ .name = "new: replace, replace of one page, other permissions",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, A, F0), NEW_REPLACE(T1, A, F1, RW),
		    NEW_REPLACE(T2, A, F1, S2_R) },
	  .watch = { A },
	  .outcomes = "B | b" },
	{ .name = "new: replace with write permission, wrprotect",
	  .call = { MAP(AT_FIRST, A, F0), NEW_REPLACE(T1, A, F0, RW),
		    WRPROTECT(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "a" },
	{ .name = "new: replace without write permission, relax",
	  .call = { MAP_RO(AT_FIRST, A, F0), NEW_REPLACE(T1, A, F0, S2_R), RELAX(T2, A) },
	  .watch = { A },
	  .outcomes = "A" },
	{ .name = "new: replace without write permission, unmap",
	  .call = { MAP(AT_FIRST, A, F0), NEW_REPLACE(T1, A, F0, S2_R),
		    UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | a" },
	{ .name = "new: replace with a block, replace with the block, other permissions",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, D, F1), NEW_BLOCK(T1, D, F0, RW),
		    NEW_BLOCK(T2, D, F0, S2_R) },
	  .watch = { D, D + PAGE },
	  .outcomes = "BB | bb" },

	/* ---- in a larger block of the same memory ---- */
	{ .name = "same: map of a page of the block, split",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), MAP(T1, D, F0), SPLIT(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "AA" },
	{ .name = "same: map of a page of the table, collapse",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), MAP(T1, D, F0), COLLAPSE(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "AA" },
	{ .name = "same: map of a page of the block, unmap of the block",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), MAP(T1, D, F0), UNMAP(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "-- | A-" },
	/* It is not the same any more: a part of it gets the permission back. */
	{ .name = "same: map of a page of the block, wrprotect of the block",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), MAP(T1, D, F0), WRPROTECT(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "aa | aa!b" },

	/* ---- a part of a block gets other permissions ---- */
	{ .name = "part: map of a page of the block, splitting it, unmap of the block",
	  .preemptions = 3,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLITTING(T1, D, F0, S2_R),
		    UNMAP(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "-- | a-" },
	{ .name = "part: map of a page of the block, splitting it, wrprotect of the block",
	  .preemptions = 3,
	  .call = { MAP_WITH(AT_FIRST, D, BLOCK, F0, S2_R, 0), SPLITTING(T1, D, F0, RW),
		    WRPROTECT(T2, D, BLOCK) },
	  .watch = { D, D + PAGE },
	  .outcomes = "aa | Aa" },
	{ .name = "part: two maps of pages of the block, splitting it",
	  .preemptions = 3,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLITTING(T1, D, F0, S2_R),
		    SPLITTING(T2, D + PAGE, F0 + PAGE, S2_R) },
	  .watch = { D, D + PAGE, D + 2 * PAGE },
	  .outcomes = "aaA" },
};

const struct scenario_set again = SCENARIO_SET(scenarios);
