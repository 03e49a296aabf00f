/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How scenarios are written: addresses, frames, and a word for each call. Pages A and B
 * share a level-3 table, C is in the next; a block and a full table are at D.
 */
#ifndef STAGE2_CONCURRENT_CALLS_H
#define STAGE2_CONCURRENT_CALLS_H

#include "scenario.h"

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
/* A map that lets its guest fault again when it meets a marker. */
#define MAP_ONCE(t, at, frame)                                                    \
	{                                                                         \
		.kind = CALL_MAP, .who = t, .ipa = at, .size = PAGE, .pa = frame, \
		.attr = RW, .flags = S2_MAP_PAGES, .once = true                   \
	}
#define REPLACE_ONCE(t, at, bytes, frame, with)                                    \
	{                                                                          \
		.kind = CALL_MAP, .who = t, .ipa = at, .size = bytes, .pa = frame, \
		.attr = RW, .flags = S2_MAP_REPLACE | (with), .once = true         \
	}
#define MAP_WITH(t, at, bytes, frame, attr, flags)         \
	{                                                  \
		CALL_MAP, t, at, bytes, frame, attr, flags \
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
#define UNMAP_WITH(t, at, bytes, with)               \
	{                                            \
		CALL_UNMAP, t, at, bytes, 0, 0, with \
	}
#define UNMAP_WAIVED(t, at, bytes) UNMAP_WITH(t, at, bytes, S2_NO_CLEAN)
/* Exclusive calls with budgets, and unmaps in a batch. */
#define UNMAP_STEPS(t, at, bytes, with, e, b)              \
	{                                                  \
		CALL_UNMAP, t, at, bytes, 0, 0, with, e, b \
	}
#define REPLACE_STEPS(t, at, bytes, frame, with, e, b)                           \
	{                                                                        \
		CALL_MAP, t, at, bytes, frame, RW, S2_MAP_REPLACE | (with), e, b \
	}
#define UNMAP_BATCHED(t, at, bytes, with)                                              \
	{                                                                              \
		.kind = CALL_UNMAP, .who = t, .ipa = at, .size = bytes, .flags = with, \
		.batched = true                                                        \
	}
/* Beside those, with the lock for reading. */
#define SHARED_(k, t, at, bytes, with)                                        \
	{                                                                     \
		.kind = k, .who = t, .ipa = at, .size = bytes, .flags = with, \
		.shared = true                                                \
	}
#define UNMAP_SHARED(t, at, bytes, with) SHARED_(CALL_UNMAP, t, at, bytes, with)
#define MAP_SHARED(t, at, bytes, frame, with)                                      \
	{                                                                          \
		.kind = CALL_MAP, .who = t, .ipa = at, .size = bytes, .pa = frame, \
		.attr = RW, .flags = with, .shared = true                          \
	}
#define BATCH_BEGIN(t) CALL_(CALL_BATCH_BEGIN, t, 0, 0)
#define BATCH_END(t) CALL_(CALL_BATCH_END, t, 0, 0)
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

#endif /* STAGE2_CONCURRENT_CALLS_H */
