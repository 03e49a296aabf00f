/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A side: one implementation of stage-2 tables that is measured. It uses only plain
 * types, because the other side is compiled with other headers.
 */
#ifndef STAGE2_BENCH_SIDE_H
#define STAGE2_BENCH_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

enum { BENCH_FWB = 1, BENCH_TLBIRANGE = 2, BENCH_HAFDBS = 4 };

/**
 * struct bench_config - what one case asks for
 * @ipa_bits: 40 to 43: tables begin at level 1
 * @features: BENCH_* bits; Linux's file ignores hardware updates
 * @tables: number of table pages, without those of the root
 * @seed: shuffles the order in which pages are handed out; 0: ascending
 */
struct bench_config {
	unsigned ipa_bits;
	uint32_t features;
	uint64_t tables;
	uint64_t seed;
};

/**
 * struct bench_counts - what a run cost, apart from time
 * @reads, @writes: loads and stores of entries; only in the build that counts
 */
struct bench_counts {
	uint64_t reads, writes, tlbi, dsb, isb, clean_calls, clean_bytes;
	uint64_t taken, freed;
};

/**
 * struct bench_side - the operations, on the one instance of the side
 * @open: an arena and an instance
 * @reset: makes the instance as new: every page zeroed and back in its order
 * @map: one call; @pages: no blocks
 * @map_again: the same over what is there
 * @map_split, @unmap_split: pages, where blocks at the edges may be split
 * @fault: map one page as a fault handler does, beside other calls
 * @batch_begin, @batch_end: unmaps in between share one invalidation
 * @unmap_beside: unmap beside faults, without a lock. The tables are left for @release,
 *	which must come after every fault that was running has ended
 * @survey: bytes that are mapped, if all with the same attributes
 * @split: blocks into pages
 * @collapse: full tables into blocks, where @pa is what is mapped
 * @remap: map blocks over the range, which replaces the tables
 * @lookup: returns the PA, and finds the level
 * @describe: the same, with size, attributes and state
 * @detach: unmap, with the tables left for @release
 * @scan: read every entry of every table in use once: a lower bound, not an operation
 * @zero: zero all of them
 *
 * An operation that a side does not have is NULL. Failure of any is fatal.
 */
struct bench_side {
	const char *name;
	void (*open)(const struct bench_config *cfg);
	void (*reset)(void);
	void (*close)(void);
	void (*map)(uint64_t ipa, uint64_t pa, uint64_t size, bool pages);
	void (*map_again)(uint64_t ipa, uint64_t pa, uint64_t size, bool pages);
	void (*map_split)(uint64_t ipa, uint64_t pa, uint64_t size);
	void (*unmap_split)(uint64_t ipa, uint64_t size);
	void (*fault)(uint64_t ipa, uint64_t pa);
	void (*unmap)(uint64_t ipa, uint64_t size);
	void (*batch_begin)(void);
	void (*batch_end)(void);
	void (*unmap_beside)(uint64_t ipa, uint64_t size);
	void (*wrprotect)(uint64_t ipa, uint64_t size);
	bool (*age)(uint64_t ipa, uint64_t size);
	uint64_t (*survey)(uint64_t ipa, uint64_t size);
	void (*mkyoung)(uint64_t ipa);
	void (*relax)(uint64_t ipa);
	void (*split)(uint64_t ipa, uint64_t size);
	void (*collapse)(uint64_t ipa, uint64_t pa, uint64_t size);
	void (*remap)(uint64_t ipa, uint64_t pa, uint64_t size);
	void (*destroy)(void);
	uint64_t (*lookup)(uint64_t ipa);
	uint64_t (*describe)(uint64_t ipa);
	void (*detach)(uint64_t ipa, uint64_t size);
	void (*release)(void);
	uint64_t (*scan)(void);
	void (*zero)(void);
	void (*counts)(struct bench_counts *c);
};

extern const struct bench_side bench_engine, bench_linux;

#endif /* STAGE2_BENCH_SIDE_H */
