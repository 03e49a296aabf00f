/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_BENCH_CASES_H
#define STAGE2_BENCH_CASES_H

#include "side.h"

/* What is mapped before the clock starts. */
enum bench_before {
	NOTHING,
	PAGES,	   /* pages, over the whole of it */
	BLOCKS,	   /* 2 MiB blocks */
	READ_ONLY, /* pages that have been write-protected */
	OLD,	   /* pages whose access flag is 0 */
	DETACHED,  /* pages that have been unmapped, their tables in limbo */
};

enum bench_op {
	UNMAP,
	MIGRATE,     /* unmap a group of pages, then map each elsewhere as a fault does */
	UNMAP_SPLIT, /* blocks at the edges may be split: there are none */
	MAP,
	MAP_AGAIN, /* what is there, with write permission */
	MAP_SPLIT,
	FAULT,
	WRPROTECT,
	AGE,
	MKYOUNG,
	SURVEY,
	RELAX,
	SPLIT,
	COLLAPSE,
	REMAP,
	DESTROY,
	LOOKUP,
	DESCRIBE,
	CHASE,	 /* lookups, each of which needs the result of the one before */
	DETACH,	 /* unmap up to the release */
	RAGGED,	 /* the same without the first and the last page */
	RELEASE, /* the release alone */
	SCAN,
	ZERO, /* zero the tables in use, as an allocator would do */
};

/**
 * struct bench_case - one operation to be measured
 * @name, @says: its name and its description
 * @per: the unit of the figures
 * @before: what is mapped, over @mem bytes from @at (for odd edges, and beyond)
 * @from, @size: the range of the operation
 * @call: size of one call in bytes; 0: one call for all
 * @random: the calls are in shuffled order
 * @group: number of calls at a time; 0: all
 * @batched: a group is a batch, on a side that has batches
 * @units: the number of @per
 * @sparse: only one page in each 2 MiB is mapped
 * @blocks: map 2 MiB blocks, not pages
 * @features: BENCH_*
 * @ipa_bits: 0: 40
 */
struct bench_case {
	const char *name, *says, *per;
	enum bench_before before;
	enum bench_op op;
	uint64_t at, mem, from, size, call, units;
	uint32_t features, group;
	bool batched, random, sparse, blocks;
	unsigned ipa_bits;
};

extern const struct bench_case bench_cases[];
extern const unsigned bench_ncases;

uint64_t case_tables(const struct bench_case *c);
/* Whether the side can do the case. */
bool case_for(const struct bench_case *c, const struct bench_side *s);
void case_before(const struct bench_case *c, const struct bench_side *s);
/* @order: the addresses of the calls, for @random. The result depends on all calls. */
uint64_t case_run(const struct bench_case *c, const struct bench_side *s,
		  const uint64_t *order);
/* Addresses for the calls of a case, in order. */
uint64_t *case_order(const struct bench_case *c, uint64_t seed, uint64_t *n);

#endif /* STAGE2_BENCH_CASES_H */
