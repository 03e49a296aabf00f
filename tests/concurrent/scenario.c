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

#define MAP(t, at, frame) { CALL_MAP, t, at, PAGE, frame, RW, S2_MAP_PAGES }
#define UNMAP(t, at, bytes) { .kind = CALL_UNMAP, .who = t, .ipa = at, .size = bytes }

const struct scenario scenarios[] = {
	{ .name = "lock: map and unmap of a page",
	  .locked = true,
	  .call = { MAP(T1, A, F0), UNMAP(T2, A, PAGE) },
	  .watch = { A },
	  .outcomes = "- | A" },
};
const unsigned nscenarios = sizeof(scenarios) / sizeof(scenarios[0]);
