/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table pages for a measurement: one piece of memory, by huge pages where the
 * system has them, handed out from a stack in ascending or in shuffled order and
 * zero already. What is freed is kept apart, so that no page comes twice in a run:
 * zeroing one that is reused is a cost of the allocator, and measured by itself.
 */
#ifndef STAGE2_BENCH_ARENA_H
#define STAGE2_BENCH_ARENA_H

#include <stdint.h>

#define ARENA_ROOT 16 /* pages at the start that are never on the stack */

/**
 * struct arena - the pages
 * @mem: all of them, 4 KiB each
 * @pages: how many
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
/* Pages that were handed out are zeroed, and all come again in the same order. */
void arena_reset(struct arena *a);

/* Zero what has been handed out. */
void arena_zero(struct arena *a);

static inline unsigned char *arena_page(const struct arena *a, uint32_t page)
{
	return a->mem + ((uint64_t)page << 12);
}

#endif /* STAGE2_BENCH_ARENA_H */
