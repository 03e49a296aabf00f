/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table pages for a measurement: one piece of memory, in huge pages where the system has
 * them. Pages are handed out from a stack, in ascending or in shuffled order, already
 * zeroed. Freed pages are kept apart, so that no page is used twice in a run. Zeroing a
 * reused page is a cost of the allocator, and is measured separately.
 */
#ifndef STAGE2_BENCH_ARENA_H
#define STAGE2_BENCH_ARENA_H

#include <stdint.h>

#define ARENA_ROOT 16 /* pages at the start that are never on the stack */

/**
 * struct arena - the pages
 * @mem: all of them, 4 KiB each
 * @pages: number of pages
 * @free: page numbers to hand out, @nfree of them
 * @freed: page numbers given back, @nfreed of them
 */
struct arena {
	unsigned char *mem;
	uint64_t pages;
	uint32_t *free, *freed;
	uint64_t nfree, nfreed;
};

/* @seed: 0: in ascending order. Exits when there is no memory. */
void arena_open(struct arena *a, uint64_t tables, uint64_t seed);
void arena_close(struct arena *a);
/* Zeroes the pages that were handed out, and puts all pages back in the same order. */
void arena_reset(struct arena *a);

/* Zeroes the pages that were handed out. */
void arena_zero(struct arena *a);

static inline unsigned char *arena_page(const struct arena *a, uint32_t page)
{
	return a->mem + ((uint64_t)page << 12);
}

#endif /* STAGE2_BENCH_ARENA_H */
