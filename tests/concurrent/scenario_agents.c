/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The invalidation of other agents fails in the calls of one thread (P17). Entries are
 * free again all the same, and the call says so. No table is freed that an agent may walk
 * before the agents have been stopped, which the thread does when it is told. A call
 * beside it may be told, too: both are outcomes.
 */
#include "calls.h"
#include "scenarios.h"

static const struct scenario scenarios[] = {
	{ .name = "agents: unmap of the last page of a table, lookup",
	  .agents_fail = T1,
	  .call = { MAP(AT_FIRST, A, F0), UNMAP(T1, A, PAGE), LOOKUP(T2, A) },
	  .watch = { A },
	  .outcomes = "-!b" },
	{ .name = "agents: unmap, unmap of the two pages of a table",
	  .agents_fail = T1,
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, B, PAGE) },
	  .watch = { A, B },
	  .outcomes = "--!c | --!c!d" },
	{ .name = "agents: unmap of a page, unmap of its table",
	  .agents_fail = T1,
	  .call = { MAP(AT_FIRST, A, F0), MAP(AT_FIRST, B, F1), UNMAP(T1, A, PAGE),
		    UNMAP(T2, A, BLOCK) },
	  .watch = { A, B },
	  .outcomes = "-- | --!c | --!c!d" },
	{ .name = "agents: unmap of a table, map of a page",
	  .agents_fail = T1,
	  .call = { MAP(AT_FIRST, A, F0), UNMAP(T1, A, BLOCK), MAP(T2, B, F1) },
	  .watch = { A, B },
	  .outcomes = "--!b | -C!b | --!b!c | -C!b!c" },
	{ .name = "agents: replace, map of another page of the table",
	  .unforced = true,
	  .agents_fail = T1,
	  .call = { MAP(AT_FIRST, A, F0), REPLACE(T1, A, F1), MAP(T2, B, F2) },
	  .watch = { A, B },
	  .outcomes = "BC!b | BC!b!c" },
	{ .name = "agents: replace of a table by a block, unmap of a page",
	  .agents_fail = T1,
	  .preemptions = 4,
	  .call = { MAP(AT_FIRST, D, F0), REPLACE_BLOCK(T1, D, F1), UNMAP(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "BB!b!c | BB!b | --!b | --!b!c | BB" },
	{ .name = "agents: collapse, unmap of a page",
	  .agents_fail = T1,
	  .preemptions = 4,
	  .call = { MAP_TABLE(AT_FIRST, D, F0), COLLAPSE(T1, D, BLOCK),
		    UNMAP(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "AA!b!c | -A!b | -A!b!c | -A" },
	{ .name = "agents: split, unmap of a page",
	  .agents_fail = T1,
	  .preemptions = 4,
	  .call = { MAP_BLOCK(AT_FIRST, D, F0), SPLIT(T1, D, BLOCK), UNMAP(T2, D, PAGE) },
	  .watch = { D, D + PAGE },
	  .outcomes = "-A!b | -A!b!c | AA!b!c" },
};

const struct scenario_set agents = SCENARIO_SET(scenarios);
