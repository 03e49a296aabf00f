// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The cases that are measured. */
#include <err.h>
#include <stdlib.h>

#include "cases.h"
#include "rnd.h"

#define K UINT64_C(1024)
#define M (K * 1024)
#define G (M * 1024)
#define T (G * 1024)

#define PAGE (4 * K)
#define BLOCK (2 * M)
#define BOTH (BENCH_FWB | BENCH_TLBIRANGE)

/* A range of N bytes at N: aligned, and inside 40 bits. */
#define ALIGNED(n) .at = (n), .mem = (n), .from = (n), .size = (n)
#define PER_PAGE(n) .per = "page", .units = (n) / PAGE
#define PER_BLOCK(n) .per = "block", .units = (n) / BLOCK
#define PER_CALL(n) .per = "call", .units = (n)
#define MANY 262144 /* calls, where one is too short for the clock */
#define GROUP 64    /* calls in a batch: as many as it has separate ranges */

/*
 * From level 0 on, so that the fan-out shows. There are three cases: a range aligned to
 * its size; the same without its first and last page, which takes as many entries at
 * every level as a range can have; and the release.
 */
#define GROW_CASE(name, what, n) \
	"grow-" name, what, ALIGNED(n), PER_PAGE(n), .ipa_bits = 48, .features = BOTH
#define GROW(name, size, n)                                                            \
	{ GROW_CASE(name "-detach", "unmap " size ", but for the release", n),         \
	  .op = DETACH, .before = PAGES },                                             \
		{ GROW_CASE(name "-ragged", "... without the first and last page", n), \
		  .op = RAGGED, .before = PAGES },                                     \
	{                                                                              \
		GROW_CASE(name "-release", "the release of " size, n),                 \
			.op = RELEASE, .before = DETACHED                              \
	}

const struct bench_case bench_cases[] = {
	{ "unmap-1g", "unmap 1 GiB of pages", .op = UNMAP, .before = PAGES, ALIGNED(G),
	  PER_PAGE(G), .features = BOTH },
	{ "unmap-1g-fwb", "... without FEAT_TLBIRANGE", .op = UNMAP, .before = PAGES,
	  ALIGNED(G), PER_PAGE(G), .features = BENCH_FWB },
	{ "unmap-1g-none", "... with neither that nor FEAT_S2FWB", .op = UNMAP,
	  .before = PAGES, ALIGNED(G), PER_PAGE(G) },
	{ "unmap-1g-odd", "..., beginning and ending one page inside a table",
	  .op = UNMAP, .before = PAGES, .at = G, .mem = 3 * G, .from = G + BLOCK - PAGE,
	  .size = G + 2 * PAGE, PER_PAGE(G + 2 * PAGE), .features = BOTH },
	{ "unmap-1g-2m-calls", "... in calls of 2 MiB", .op = UNMAP, .before = PAGES,
	  ALIGNED(G), .call = BLOCK, PER_CALL(G / BLOCK), .features = BOTH },
	{ "unmap-page", "... in calls of 4 KiB", .op = UNMAP, .before = PAGES, ALIGNED(G),
	  .call = PAGE, PER_CALL(G / PAGE), .features = BOTH },
	{ "unmap-page-split", "... in calls of 4 KiB, where blocks may be split",
	  .op = UNMAP_SPLIT, .before = PAGES, ALIGNED(G), .call = PAGE,
	  PER_CALL(G / PAGE), .features = BOTH },
	{ "unmap-page-af", "... where hardware sets access flags", .op = UNMAP,
	  .before = PAGES, ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE),
	  .features = BOTH | BENCH_HAFDBS },
	{ "unmap-page-batch", "... in calls of 4 KiB, 64 of them a batch", .op = UNMAP,
	  .before = PAGES, ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE), .group = GROUP,
	  .batched = true, .features = BOTH },
	{ "unmap-page-cold", "unmap random pages of 64 GiB, a call each", .op = UNMAP,
	  .before = PAGES, ALIGNED(64 * G), .call = PAGE, .random = true, PER_CALL(MANY),
	  .features = BOTH },
	{ "unmap-cold-batch", "..., 64 of them a batch", .op = UNMAP, .before = PAGES,
	  ALIGNED(64 * G), .call = PAGE, .random = true, PER_CALL(MANY), .group = GROUP,
	  .batched = true, .features = BOTH },
	{ "migrate", "unmap 64 random pages of 64 GiB, map them elsewhere at fault time",
	  .op = MIGRATE, .before = PAGES, ALIGNED(64 * G), .call = PAGE, .random = true,
	  PER_CALL(MANY), .group = GROUP, .features = BOTH },
	{ "migrate-batch", "..., the 64 unmaps a batch", .op = MIGRATE, .before = PAGES,
	  ALIGNED(64 * G), .call = PAGE, .random = true, PER_CALL(MANY), .group = GROUP,
	  .batched = true, .features = BOTH },
	{ "unmap-64g", "unmap 64 GiB of pages", .op = UNMAP, .before = PAGES,
	  ALIGNED(64 * G), PER_PAGE(64 * G), .features = BOTH },
	{ "unmap-64g-odd", "..., beginning and ending one page inside a table",
	  .op = UNMAP, .before = PAGES, .at = 64 * G, .mem = 66 * G,
	  .from = 64 * G + BLOCK - PAGE, .size = 64 * G + 2 * PAGE,
	  PER_PAGE(64 * G + 2 * PAGE), .features = BOTH },
	{ "unmap-64g-2m-calls", "... in calls of 2 MiB", .op = UNMAP, .before = PAGES,
	  ALIGNED(64 * G), .call = BLOCK, PER_CALL(64 * G / BLOCK), .features = BOTH },
	{ "unmap-64g-2m-batch", "... in calls of 2 MiB, 64 of them a batch", .op = UNMAP,
	  .before = PAGES, ALIGNED(64 * G), .call = BLOCK, PER_CALL(64 * G / BLOCK),
	  .group = GROUP, .batched = true, .features = BOTH },
	{ "unmap-1t-blocks", "unmap 1 TiB of 2 MiB blocks", .op = UNMAP, .before = BLOCKS,
	  .mem = T, .size = T, PER_BLOCK(T), .features = BOTH },
	{ "unmap-blocks-odd", "unmap 1 GiB of 2 MiB blocks but the first and the last",
	  .op = UNMAP, .before = BLOCKS, .at = G, .mem = G, .from = G + BLOCK,
	  .size = G - 2 * BLOCK, PER_BLOCK(G - 2 * BLOCK), .features = BOTH },
	{ "unmap-2m-odd", "unmap 2 MiB of pages but the first and the last", .op = UNMAP,
	  .before = PAGES, .at = G, .mem = BLOCK, .from = G + PAGE,
	  .size = BLOCK - 2 * PAGE, PER_PAGE(BLOCK - 2 * PAGE), .features = BOTH },
	{ "unmap-2m-none", "... with neither FEAT_TLBIRANGE nor FEAT_S2FWB", .op = UNMAP,
	  .before = PAGES, .at = G, .mem = BLOCK, .from = G + PAGE,
	  .size = BLOCK - 2 * PAGE, PER_PAGE(BLOCK - 2 * PAGE) },
	{ "unmap-sparse", "unmap 64 GiB with one page in each 2 MiB", .op = UNMAP,
	  .before = PAGES, .sparse = true, ALIGNED(64 * G), .per = "page",
	  .units = 64 * G / BLOCK, .features = BOTH },
	{ "unmap-empty", "unmap 1 TiB with nothing there", .op = UNMAP, .size = 8 * T,
	  .call = T, PER_CALL(8), .features = BOTH, .ipa_bits = 43 },
	{ "map-1g", "map 1 GiB of pages", .op = MAP, ALIGNED(G), PER_PAGE(G),
	  .features = BOTH },
	{ "map-page", "... page by page", .op = MAP, ALIGNED(G), .call = PAGE,
	  PER_CALL(G / PAGE), .features = BOTH },
	{ "map-page-split", "... page by page, where blocks may be split",
	  .op = MAP_SPLIT, ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE),
	  .features = BOTH },
	{ "map-again", "map 1 GiB of pages that are mapped", .op = MAP_AGAIN,
	  .before = PAGES, ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "map-perms", "... that are read-only", .op = MAP_AGAIN, .before = READ_ONLY,
	  ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "map-fault", "map 1 GiB of pages page by page, shared: at fault time",
	  .op = FAULT, ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE), .features = BOTH },
	{ "map-blocks", "map 64 GiB of 2 MiB blocks in one call", .op = MAP,
	  ALIGNED(64 * G), .blocks = true, PER_BLOCK(64 * G), .features = BOTH },
	{ "wrprotect", "write-protect 1 GiB of pages", .op = WRPROTECT, .before = PAGES,
	  ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "wrprotect-af", "... where hardware sets access flags", .op = WRPROTECT,
	  .before = PAGES, ALIGNED(G), PER_PAGE(G), .features = BOTH | BENCH_HAFDBS },
	{ "wrprotect-again", "... that are read-only already", .op = WRPROTECT,
	  .before = READ_ONLY, ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "relax", "make one page writable again", .op = RELAX, .before = READ_ONLY,
	  ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE), .features = BOTH },
	{ "age", "age 1 GiB of pages", .op = AGE, .before = PAGES, ALIGNED(G),
	  PER_PAGE(G), .features = BOTH },
	{ "survey", "ask what 1 GiB of pages is mapped with", .op = SURVEY,
	  .before = PAGES, ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "mkyoung", "make one page young again", .op = MKYOUNG, .before = OLD,
	  ALIGNED(G), .call = PAGE, PER_CALL(G / PAGE), .features = BOTH },
	{ "split", "split 64 GiB of 2 MiB blocks to pages", .op = SPLIT, .before = BLOCKS,
	  ALIGNED(64 * G), PER_PAGE(64 * G), .features = BOTH },
	{ "collapse", "collapse 1 GiB of pages to 2 MiB blocks", .op = COLLAPSE,
	  .before = PAGES, ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "remap", "map 2 MiB blocks over 1 GiB of pages", .op = REMAP, .before = PAGES,
	  ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "destroy", "destroy with 64 GiB of pages", .op = DESTROY, .before = PAGES,
	  ALIGNED(64 * G), PER_PAGE(64 * G), .features = BOTH },
	{ "lookup-1g", "look up a random page of 1 GiB", .op = LOOKUP, .before = PAGES,
	  ALIGNED(G), .call = PAGE, .random = true, PER_CALL(MANY), .features = BOTH },
	{ "lookup-64g", "look up a random page of 64 GiB", .op = LOOKUP, .before = PAGES,
	  ALIGNED(64 * G), .call = PAGE, .random = true, PER_CALL(MANY),
	  .features = BOTH },
	{ "lookup-full", "look up a random page of 1 GiB, attributes and all",
	  .op = DESCRIBE, .before = PAGES, ALIGNED(G), .call = PAGE, .random = true,
	  PER_CALL(MANY), .features = BOTH },
	{ "lookup-chase", "look up a random page of 64 GiB, each from the result before",
	  .op = CHASE, .before = PAGES, ALIGNED(64 * G), .call = PAGE, PER_CALL(MANY),
	  .features = BOTH },
	GROW("1g", "1 GiB of pages", G),
	GROW("16g", "16 GiB of pages", 16 * G),
	GROW("64g", "64 GiB of pages", 64 * G),
	GROW("256g", "256 GiB of pages", 256 * G),
	GROW("1t", "1 TiB of pages", T),
	GROW("4t", "4 TiB of pages", 4 * T),
	{ "zero-1g", "zero the tables of 1 GiB of pages", .op = ZERO, .before = PAGES,
	  ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "zero-64g", "zero the tables of 64 GiB of pages", .op = ZERO, .before = PAGES,
	  ALIGNED(64 * G), PER_PAGE(64 * G), .features = BOTH },
	{ "scan-1g", "read every leaf entry of 1 GiB once", .op = SCAN, .before = PAGES,
	  ALIGNED(G), PER_PAGE(G), .features = BOTH },
	{ "scan-64g", "read every leaf entry of 64 GiB once", .op = SCAN, .before = PAGES,
	  ALIGNED(64 * G), PER_PAGE(64 * G), .features = BOTH },
};

const unsigned bench_ncases = sizeof(bench_cases) / sizeof(bench_cases[0]);

/* Frames follow their addresses, such that blocks of 2 MiB fit, but none of 1 GiB. */
static uint64_t frame(uint64_t ipa)
{
	return ipa + 16 * T + BLOCK;
}

uint64_t case_tables(const struct bench_case *c)
{
	uint64_t mem = c->mem ? c->mem : c->size;
	uint64_t leaf_tables = mem / BLOCK + 2;
	bool pages = (c->before != BLOCKS && c->before != NOTHING) || c->op == FAULT ||
		     c->op == SPLIT || c->op == MAP || c->op == MAP_SPLIT;

	return (pages ? leaf_tables : 0) + mem / G + 64;
}

bool case_for(const struct bench_case *c, const struct bench_side *s)
{
	switch (c->op) {
	case FAULT:
		return s->fault;
	case MAP_AGAIN:
		return s->map_again;
	case MAP_SPLIT:
		return s->map_split;
	case UNMAP_SPLIT:
		return s->unmap_split;
	case DESCRIBE:
		return s->describe;
	case SURVEY:
		return s->survey;
	case SCAN:
	case ZERO:
		return s->scan;
	case DETACH:
	case RAGGED:
	case RELEASE:
		return s->detach;
	default:
		return true;
	}
}

void case_before(const struct bench_case *c, const struct bench_side *s)
{
	uint64_t end = c->at + c->mem;

	switch (c->before) {
	case NOTHING:
		break;
	case BLOCKS:
		s->map(c->at, frame(c->at), c->mem, false);
		break;
	default:
		if (!c->sparse)
			s->map(c->at, frame(c->at), c->mem, true);
		for (uint64_t ipa = c->at; c->sparse && ipa < end; ipa += BLOCK)
			s->map(ipa, frame(ipa), PAGE, true);
	}
	if (c->before == READ_ONLY)
		s->wrprotect(c->at, c->mem);
	if (c->before == OLD)
		s->age(c->at, c->mem);
	if (c->before == DETACHED)
		s->detach(c->at, c->mem);
}

uint64_t *case_order(const struct bench_case *c, uint64_t seed, uint64_t *n)
{
	uint64_t pages = c->size / PAGE, *order;
	uint32_t *all;

	*n = c->units;
	if (!c->random)
		return NULL;
	order = calloc(*n, sizeof(*order));
	all = calloc(pages, sizeof(*all));
	if (!order || !all)
		err(1, "no memory");
	for (uint64_t i = 0; i < pages; i++)
		all[i] = (uint32_t)i;
	for (uint64_t i = 0; i < *n; i++) {
		uint64_t j = i + rnd_below(&seed, pages - i);
		uint32_t page = all[j];

		all[j] = all[i];
		all[i] = page;
		order[i] = c->from + page * PAGE;
	}
	free(all);
	return order;
}

/* The next page of a walk over all pages in pseudo-random order: a full-period LCG. */
static uint64_t chase(const struct bench_case *c, const struct bench_side *s)
{
	const uint64_t pages = c->size / PAGE;
	uint64_t ipa = c->from;

	for (uint64_t i = 0; i < c->units; i++) {
		uint64_t n = (s->lookup(ipa) - frame(c->from)) / PAGE;

		ipa = c->from + (n * 1664525 + 1013904223) % pages * PAGE;
	}
	return ipa;
}

static uint64_t one(const struct bench_case *c, const struct bench_side *s, uint64_t ipa,
		    uint64_t size)
{
	switch (c->op) {
	case UNMAP:
	case MIGRATE:
		s->unmap(ipa, size);
		break;
	case MAP:
		s->map(ipa, frame(ipa), size, !c->blocks);
		break;
	case MAP_AGAIN:
		s->map_again(ipa, frame(ipa), size, true);
		break;
	case MAP_SPLIT:
		s->map_split(ipa, frame(ipa), size);
		break;
	case UNMAP_SPLIT:
		s->unmap_split(ipa, size);
		break;
	case FAULT:
		s->fault(ipa, frame(ipa));
		break;
	case WRPROTECT:
		s->wrprotect(ipa, size);
		break;
	case AGE:
		return s->age(ipa, size);
	case SURVEY:
		return s->survey(ipa, size);
	case MKYOUNG:
		s->mkyoung(ipa);
		break;
	case RELAX:
		s->relax(ipa);
		break;
	case SPLIT:
		s->split(ipa, size);
		break;
	case COLLAPSE:
		s->collapse(ipa, frame(ipa), size);
		break;
	case REMAP:
		s->remap(ipa, frame(ipa), size);
		break;
	case DESTROY:
		s->destroy();
		break;
	case LOOKUP:
		return s->lookup(ipa);
	case DESCRIBE:
		return s->describe(ipa);
	case CHASE:
		return chase(c, s);
	case DETACH:
		s->detach(ipa, size);
		break;
	case RAGGED:
		s->detach(ipa + PAGE, size - 2 * PAGE);
		break;
	case RELEASE:
		s->release();
		break;
	case SCAN:
		return s->scan();
	case ZERO:
		s->zero();
		break;
	}
	return 0;
}

static uint64_t call_at(const struct bench_case *c, const uint64_t *order, uint64_t n)
{
	return order ? order[n] : c->from + n * c->call;
}

uint64_t case_run(const struct bench_case *c, const struct bench_side *s,
		  const uint64_t *order)
{
	const bool batched = c->batched && s->batch_begin;
	const uint64_t group = c->group ? c->group : c->units;
	uint64_t sum = 0;

	if (!c->call || c->op == CHASE)
		return one(c, s, c->from, c->size);
	for (uint64_t i = 0, end = group; i < c->units; i = end, end += group) {
		if (end > c->units)
			end = c->units;
		if (batched)
			s->batch_begin();
		for (uint64_t n = i; n < end; n++)
			sum += one(c, s, call_at(c, order, n), c->call);
		if (batched)
			s->batch_end();
		for (uint64_t n = i; c->op == MIGRATE && n < end; n++) {
			uint64_t ipa = call_at(c, order, n);

			s->fault(ipa, frame(ipa) + 16 * T);
		}
	}
	return sum;
}
