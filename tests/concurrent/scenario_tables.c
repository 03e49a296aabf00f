/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables in which nothing is left, or seems to be, while something is under way there. */
#include "calls.h"
#include "scenarios.h"

static const struct scenario scenarios[] = {
	/* Who looks for empty tables finds one, and makes the one above empty by that. */
	{ .name = "unmaps of the two pages of a table, unmap of the table beside it",
	  .preemptions = 2,
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), MAP(AT_FIRST, D, F2),
		    UNMAP(T1, A, PAGE), UNMAP(T2, D, BLOCK), UNMAP(T3, B, PAGE) },
	  .watch = { A, B, D },
	  .outcomes = "---" },
	/* The block is on its way to be a table, and its neighbour's table goes. */
	{ .name = "split, unmap of the only page elsewhere",
	  .call = { MAP(AT_FIRST, A, F0), MAP_BLOCK(AT_FIRST, D, F1), SPLIT(T1, D, BLOCK),
		    UNMAP(T2, A, PAGE) },
	  .watch = { A, D },
	  .outcomes = "-B" },
	{ .name = "collapse, unmap of the only page elsewhere",
	  .call = { MAP(AT_FIRST, A, F0), MAP_TABLE(AT_FIRST, D, F1),
		    COLLAPSE(T1, D, BLOCK), UNMAP(T2, A, PAGE) },
	  .watch = { A, D },
	  .outcomes = "-B" },
	/* The table seems dead, then is not, and then is, with another's marker in it. */
	{ .name = "map, unmap of that page, unmap of the only other page of the table",
	  .preemptions = 3,
	  .call = { MAP(AT_FIRST, A, F0), UNMAP(T1, A, PAGE), MAP(T2, B, F1),
		    UNMAP(T2, B, PAGE) },
	  .watch = { A, B },
	  .outcomes = "--" },
};

const struct scenario_set tables = SCENARIO_SET(scenarios);
