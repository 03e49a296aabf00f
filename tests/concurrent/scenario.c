/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The scenarios. Pages A and B share a level-3 table, C is in the next; a block and
 * a full table are at D.
 */
#include "scenarios.h"

#define A UINT64_C(0x40000000)
#define B (A + 0x1000)
#define C (A + 0x200000)
#define D (A + 0x400000)
#define PAGE UINT64_C(0x1000)
#define BLOCK UINT64_C(0x200000)
#define GIB UINT64_C(0x40000000)
/* Frames, congruent to D's block. */
#define F0 UINT64_C(0x80000000)
#define F1 UINT64_C(0x90000000)
#define F2 UINT64_C(0xa0000000)
#define RW (S2_R | S2_W)

#define MAP(t, at, frame)                                      \
	{                                                      \
		CALL_MAP, t, at, PAGE, frame, RW, S2_MAP_PAGES \
	}
#define MAP_RO(t, at, frame)                                     \
	{                                                        \
		CALL_MAP, t, at, PAGE, frame, S2_R, S2_MAP_PAGES \
	}
#define MAP_TABLE(t, at, frame)                                 \
	{                                                       \
		CALL_MAP, t, at, BLOCK, frame, RW, S2_MAP_PAGES \
	}
#define MAP_BLOCK(t, at, frame)                      \
	{                                            \
		CALL_MAP, t, at, BLOCK, frame, RW, 0 \
	}
#define REPLACE(t, at, frame)                                                   \
	{                                                                       \
		CALL_MAP, t, at, PAGE, frame, RW, S2_MAP_PAGES | S2_MAP_REPLACE \
	}
#define REPLACE_BLOCK(t, at, frame)                               \
	{                                                         \
		CALL_MAP, t, at, BLOCK, frame, RW, S2_MAP_REPLACE \
	}
#define CLEAN(t, at, bytes) CALL_(CALL_CLEAN, t, at, bytes)
#define UNMAP_SPLIT(t, at, bytes)                              \
	{                                                      \
		CALL_UNMAP, t, at, bytes, 0, 0, S2_SPLIT_EDGES \
	}
#define UNMAP_DROP(t, at, bytes)                              \
	{                                                     \
		CALL_UNMAP, t, at, bytes, 0, 0, S2_DROP_EDGES \
	}
#define CALL_(k, t, at, bytes)                                \
	{                                                     \
		.kind = k, .who = t, .ipa = at, .size = bytes \
	}
#define UNMAP(t, at, bytes) CALL_(CALL_UNMAP, t, at, bytes)
#define WRPROTECT(t, at, bytes) CALL_(CALL_WRPROTECT, t, at, bytes)
#define RELAX(t, at)                              \
	{                                         \
		CALL_RELAX, t, at, PAGE, 0, RW, 0 \
	}
#define MKYOUNG(t, at) CALL_(CALL_MKYOUNG, t, at, PAGE)
#define AGE(t, at, bytes)                                                               \
	{                                                                               \
		.kind = CALL_AGE, .who = t, .ipa = at, .size = bytes, .flags = S2_CLEAR \
	}
#define SPLIT(t, at, bytes) CALL_(CALL_SPLIT, t, at, bytes)
#define COLLAPSE(t, at, bytes) CALL_(CALL_COLLAPSE, t, at, bytes)
#define LOOKUP(t, at) CALL_(CALL_LOOKUP, t, at, PAGE)
#define TRANSLATE(t, at) CALL_(CALL_TRANSLATE, t, at, PAGE)
#define TOUCH(t, at) CALL_(CALL_TOUCH, t, at, PAGE)

const struct scenario scenarios[] = {
	{ .name = "locked: map, unmap of the page",
	  .locked = true,
	  .call = { MAP(T1, A, F0), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | A" },
	{ .name = "locked: two unmaps of one page, access by a PE",
	  .locked = true,
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F0 + PAGE), UNMAP(T1, A, PAGE),
		    UNMAP(T2, A, BLOCK), TOUCH(T3, A) },
	  .watch = { A, B },
	  .outcomes = "--" },

	/* ---- faults beside faults ---- */
	{ .name = "map, map of the same page and frame",
	  .call = { MAP(T1, A, F0), MAP(T2, A, F0) },
	  .watch = { A },
	  .outcomes = "A" },
	{ .name = "map, map of the same page, other frame",
	  .call = { MAP(T1, A, F0), MAP(T2, A, F1) },
	  .watch = { A },
	  .outcomes = "A | B" },
	{ .name = "map, map of two pages of one table",
	  .call = { MAP(T1, A, F0), MAP(T2, B, F1) },
	  .watch = { A, B },
	  .outcomes = "AB" },
	/* Each may undo what the other has begun: an order in which both do for ever. */
	{ .name = "map of a page, map of the block around it",
	  .preemptions = 4,
	  .call = { MAP(T1, A, F0), MAP_BLOCK(T2, A, F1) },
	  .watch = { A, B },
	  .outcomes = "A- | BB" },
	{ .name = "relax, relax",
	  .call = { MAP_RO(AT_FIRST, A, F0), RELAX(T1, A), RELAX(T2, A) },
	  .watch = { A },
	  .outcomes = "A" },
	{ .name = "mkyoung, age, access by a PE",
	  .call = { MAP(AT_FIRST, A, F0), MKYOUNG(T1, A), AGE(T2, A, PAGE),
		    TOUCH(T3, A) },
	  .watch = { A },
	  .outcomes = "A" },

	/* ---- faults beside unmap ---- */
	{ .name = "map, unmap of the page",
	  .call = { MAP(T1, A, F0), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | A" },
	{ .name = "map, unmap of the mapped page",
	  .call = { MAP(AT_FIRST, A, F0), MAP(T1, A, F1), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | B" },
	{ .name = "map, unmap of the mapped page, its table stays",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), MAP(T1, A, F2),
		    UNMAP(T2, A, PAGE) },
	  .watch = { A, B },
	  .outcomes = "-B | CB" },
	{ .name = "map, unmap of the only other page of the table",
	  .call = { MAP(AT_FIRST, A, F0), MAP(T1, B, F1), UNMAP(T2, A, PAGE) },
	  .watch = { A, B },
	  .outcomes = "-B" },
	{ .name = "map, unmap of the whole table",
	  .call = { MAP(AT_FIRST, A, F0), MAP(T1, B, F1), UNMAP(T2, A, BLOCK) },
	  .watch = { A, B },
	  .outcomes = "-- | -B" },
	/* The table does not say yet that something in it needs a clean. */
	{ .name = "map of the first page to clean, unmap of the whole table",
	  .call = { { CALL_MAP, AT_FIRST, A, PAGE, F0, RW | S2_MEM_DEV_nGnRE,
		      S2_MAP_PAGES },
		    { CALL_MAP, T1, B, PAGE, F1, RW, S2_MAP_PAGES | S2_NO_CLEAN },
		    UNMAP(T2, A, BLOCK) },
	  .watch = { A, B },
	  .outcomes = "-- | -B" },
	{ .name = "map of a new table, unmap of the table above",
	  .call = { MAP(AT_FIRST, A, F0), MAP(T1, C, F1), UNMAP(T2, A, GIB) },
	  .watch = { A, C },
	  .outcomes = "-- | -B" },
	{ .name = "map with a block, unmap of the table in its place",
	  .call = { MAP(AT_FIRST, D, F0), MAP_BLOCK(T1, D, F1), UNMAP(T2, D, PAGE) },
	  .watch = { D },
	  .outcomes = "- | B" },
	{ .name = "relax, unmap of the page",
	  .call = { MAP_RO(AT_FIRST, A, F0), RELAX(T1, A), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "relax, unmap of the whole table",
	  .call = { MAP_RO(AT_FIRST, A, F0), RELAX(T1, A), UNMAP(T2, A, BLOCK) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "mkyoung, unmap of the page, access by a PE",
	  .call = { MAP(AT_FIRST, A, F0), MKYOUNG(T1, A), UNMAP(T2, A, PAGE),
		    TOUCH(T3, A) },
	  .watch = { A },
	  .outcomes = "-" },

	/* ---- lookups ---- */
	{ .name = "lookup, map",
	  .call = { LOOKUP(T1, A), MAP(T2, A, F0) },
	  .watch = { A },
	  .outcomes = "B" },
	{ .name = "lookup, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), LOOKUP(T1, A), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "lookup, unmap of the table above",
	  .call = { MAP(AT_FIRST, A, F0), LOOKUP(T1, A), UNMAP(T2, A, GIB) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "lookup, split",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), LOOKUP(T1, D), SPLIT(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "A" },

	{ .name = "translate, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), TRANSLATE(T1, A),
		    UNMAP(T2, A, PAGE) },
	  .watch = { A, B },
	  .outcomes = "-B" },
	{ .name = "translate, unmap of the table above",
	  .call = { MAP(AT_FIRST, A, F0), TRANSLATE(T1, A), UNMAP(T2, A, GIB) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "translate, map, split",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), TRANSLATE(T1, D), MAP(T2, D, F0),
		    SPLIT(T3, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "A" },

	/* ---- unmap beside unmap ---- */
	{ .name = "unmap, unmap of one page",
	  .call = { MAP(AT_FIRST, A, F0), UNMAP(T1, A, PAGE), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "unmap, unmap of one page, its table stays",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, A, PAGE) },
	  .watch = { A, B },
	  .outcomes = "-B" },
	{ .name = "unmap, unmap of the last two pages of a table",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, B, PAGE) },
	  .watch = { A, B },
	  .outcomes = "--" },
	{ .name = "unmap of a page, unmap of its table",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, A, BLOCK) },
	  .watch = { A, B },
	  .outcomes = "--" },
	{ .name = "unmap of a table, unmap of the table above",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, C, F1), UNMAP(T1, A, BLOCK),
		    UNMAP(T2, A, GIB) },
	  .watch = { A, C },
	  .outcomes = "--" },
	{ .name = "unmap, unmap, map of one page",
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, A, PAGE), MAP(T3, A, F2) },
	  .watch = { A, B },
	  .outcomes = "-B | EB" },

	/* ---- changes in place beside unmap ---- */
	{ .name = "age, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), AGE(T1, A, PAGE), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "wrprotect, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "wrprotect, unmap of the whole table",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE), UNMAP(T2, A, BLOCK) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "wrprotect, relax",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE), RELAX(T2, A) },
	  .watch = { A },
	  .outcomes = "a | A" },
	{ .name = "wrprotect, wrprotect",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE),
		    WRPROTECT(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "a" },
	{ .name = "wrprotect, age, access by a PE",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE), AGE(T2, A, PAGE),
		    TOUCH(T3, A) },
	  .watch = { A },
	  .outcomes = "a" },

	/* ---- split ---- */
	{ .name = "split, split",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK),
		    SPLIT(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "A" },
	{ .name = "split, unmap of the block",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK),
		    UNMAP(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "-" },
	{ .name = "split, map elsewhere, unmap of the table above",
	  .preemptions = 3,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK), MAP(T2, A, F1),
		    UNMAP(T3, A, GIB) },
	  .watch = { D, A },
	  .outcomes = "-- | -C" },
	{ .name = "split, map of a page in the block",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK), MAP(T2, D, F0) },
	  .watch = { D },
	  .outcomes = "A" },
	{ .name = "split, wrprotect of a page",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK),
		    WRPROTECT(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "aA | aa" },
	{ .name = "split, relax",
	  .call = { { CALL_MAP, AT_FIRST, D, BLOCK, F0, S2_R, 0 },
		    SPLIT(T1, D, BLOCK),
		    RELAX(T2, D) },
	  .watch = { D, D + PAGE },
	  .outcomes = "Aa | AA" },

	/* ---- collapse ---- */
	{ .name = "collapse, collapse",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    COLLAPSE(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "A" },
	{ .name = "collapse, lookup",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK), LOOKUP(T2, D) },
	  .watch = { D },
	  .outcomes = "A" },
	{ .name = "collapse, unmap of a page",
	  .call = { MAP_TABLE(AT_FIRST, D, F0),
		    COLLAPSE(T1, D, BLOCK),
		    { CALL_UNMAP, T2, D, PAGE, 0, 0, S2_DROP_EDGES } },
	  .watch = { D, D + PAGE },
	  .outcomes = "-A | --" },
	{ .name = "collapse, unmap of the table",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    UNMAP(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "-" },
	{ .name = "collapse, unmap of the table above",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    UNMAP(T2, A, GIB) },
	  .watch = { D },
	  .outcomes = "-" },
	{ .name = "collapse, wrprotect of a page",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    WRPROTECT(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "aA | aa" },
	{ .name = "collapse, relax of the last page",
	  .call = { { CALL_MAP, AT_FIRST, D, BLOCK, F0, S2_R, S2_MAP_PAGES },
		    COLLAPSE(T1, D, BLOCK),
		    RELAX(T2, D) },
	  .watch = { D, D + PAGE },
	  .outcomes = "Aa | AA" },
	{ .name = "collapse, age of a page",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    AGE(T2, D, PAGE) },
	  .watch = { D },
	  .outcomes = "A" },
	{ .name = "collapse, map of the page that was missing",
	  .call = { { CALL_MAP, AT_FIRST, D, BLOCK - PAGE, F0, RW, S2_MAP_PAGES },
		    COLLAPSE(T1, D, BLOCK),
		    { CALL_MAP, T2, D + BLOCK - PAGE, PAGE, F0 + BLOCK - PAGE, RW,
		      S2_MAP_PAGES } },
	  .watch = { D, D + BLOCK - PAGE },
	  .outcomes = "AC" },
	{ .name = "collapse, split",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    SPLIT(T2, D, BLOCK) },
	  .watch = { D },
	  .outcomes = "A" },

	/* ---- replacing ---- */
	{ .name = "replace, replace of one page",
	  .call = { MAP(AT_FIRST, A, F0), REPLACE(T1, A, F1), REPLACE(T2, A, F2) },
	  .watch = { A },
	  .outcomes = "B | C" },
	{ .name = "replace, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), REPLACE(T1, A, F1), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | B" },
	{ .name = "replace, map of the page",
	  .call = { MAP(AT_FIRST, A, F0), REPLACE(T1, A, F1), MAP(T2, A, F2) },
	  .watch = { A },
	  .outcomes = "B" },
	/* As above. */
	{ .name = "replace of a table by a block, map below the table",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, D, F0), REPLACE_BLOCK(T1, D, F1),
		    MAP(T2, D + PAGE, F2) },
	  .watch = { D, D + PAGE },
	  .outcomes = "BB" },
	{ .name = "replace of a table by a block, unmap of a page",
	  .call = { MAP(AT_FIRST, D, F0), MAP(AT_FIRST, A, F0), REPLACE_BLOCK(T1, D, F1),
		    UNMAP_DROP(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "CC | --" },
	{ .name = "replace, lookup, relax of the page",
	  .call = { MAP_RO(AT_FIRST, A, F0), REPLACE(T1, A, F1), LOOKUP(T2, A),
		    RELAX(T3, A) },
	  .watch = { A },
	  .outcomes = "B" },

	/* ---- parts of blocks ---- */
	{ .name = "unmap, unmap of pages of one block, splitting it",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), UNMAP_SPLIT(T1, D, PAGE),
		    UNMAP_SPLIT(T2, D + PAGE, PAGE) },
	  .watch = { D, D + PAGE, D + 2 * PAGE },
	  .outcomes = "--A" },
	{ .name = "unmap, unmap of pages of one block, dropping it",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), UNMAP_DROP(T1, D, PAGE),
		    UNMAP_DROP(T2, D + PAGE, PAGE) },
	  .watch = { D, D + 2 * PAGE },
	  .outcomes = "--" },
	{ .name = "unmap of a page of a block, splitting it, wrprotect of another",
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), UNMAP_SPLIT(T1, D, PAGE),
		    WRPROTECT(T2, D + PAGE, PAGE) },
	  .watch = { D, D + PAGE, D + 2 * PAGE },
	  .outcomes = "-aA | -aa" },

	/* ---- cleans, budgets ---- */
	{ .name = "clean, unmap of the page",
	  .call = { MAP(AT_FIRST, A, F0), CLEAN(T1, A, PAGE), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "clean, unmap of the table above",
	  .call = { MAP(AT_FIRST, A, F0), CLEAN(T1, A, PAGE), UNMAP(T2, A, GIB) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "unmap of two blocks in steps, unmap of the second",
	  .bytes = BLOCK,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), MAP_BLOCK(AT_FIRST, D + BLOCK, F1),
		    UNMAP(T1, D, 2 * BLOCK), UNMAP(T2, D + BLOCK, BLOCK) },
	  .watch = { D, D + BLOCK },
	  .outcomes = "--" },
	{ .name = "unmap of two blocks in steps, map of the second",
	  .bytes = BLOCK,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), MAP_BLOCK(AT_FIRST, D + BLOCK, F1),
		    UNMAP(T1, D, 2 * BLOCK), MAP_BLOCK(T2, D + BLOCK, F2) },
	  .watch = { D, D + BLOCK },
	  .outcomes = "-- | -D" },

	/* ---- hardware writes the access flag ---- */
	{ .name = "hardware access flag: access, wrprotect, unmap",
	  .features = S2_FEAT_HAFDBS,
	  .call = { MAP(AT_FIRST, A, F0), AGE(AT_FIRST, A, PAGE), TOUCH(T1, A),
		    WRPROTECT(T2, A, PAGE), UNMAP(T3, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
	{ .name = "locked: hardware access flag: access, wrprotect",
	  .locked = true,
	  .features = S2_FEAT_HAFDBS,
	  .call = { MAP(AT_FIRST, A, F0), AGE(AT_FIRST, A, PAGE), TOUCH(T1, A),
		    WRPROTECT(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "a" },

	/* ---- three ---- */
	{ .name = "map, unmap of the page, unmap of the table above",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, A, F0), MAP(T1, B, F1), UNMAP(T2, A, PAGE),
		    UNMAP(T3, A, GIB) },
	  .watch = { A, B },
	  .outcomes = "-- | -B" },
	{ .name = "collapse, split, unmap of a page",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    SPLIT(T2, D, BLOCK), UNMAP_DROP(T3, D, PAGE) },
	  .preemptions = 3,
	  .watch = { D, D + PAGE },
	  .outcomes = "-A | --" },
	{ .name = "collapse, wrprotect of a page, lookup",
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    WRPROTECT(T2, D, PAGE), LOOKUP(T3, D) },
	  .watch = { D, D + PAGE },
	  .outcomes = "aA | aa" },
	{ .name = "wrprotect, relax, unmap",
	  .call = { MAP(AT_FIRST, A, F0), WRPROTECT(T1, A, PAGE), RELAX(T2, A),
		    UNMAP(T3, A, PAGE) },
	  .watch = { A },
	  .outcomes = "-" },
};
const unsigned nscenarios = sizeof(scenarios) / sizeof(scenarios[0]);
