/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _DEFAULT_SOURCE
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"
#include "rnd.h"

#define HUGE (UINT64_C(2) << 20)

void arena_open(struct arena *a, uint64_t tables, uint64_t seed)
{
	uint64_t size, n;
	uintptr_t start;
	void *mem;

	a->pages = tables + ARENA_ROOT;
	size = ((a->pages << 12) + HUGE - 1) & ~(HUGE - 1);
	mem = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		err(1, "no address space for %llu tables", (unsigned long long)tables);
	/* Aligned by hand. The rest at both ends is given back. */
	start = ((uintptr_t)mem + HUGE - 1) & ~(uintptr_t)(HUGE - 1);
	if (start > (uintptr_t)mem)
		munmap(mem, start - (uintptr_t)mem);
	munmap((void *)(start + size), HUGE - (start - (uintptr_t)mem));
	a->mem = (void *)start;
	madvise(a->mem, size, MADV_HUGEPAGE); /* without them it is only slower */
	memset(a->mem, 0, size);	      /* so that no run takes a page fault */

	n = a->pages - ARENA_ROOT;
	a->free = calloc(n, sizeof(*a->free));
	a->freed = calloc(n, sizeof(*a->freed));
	if (!a->free || !a->freed)
		err(1, "no memory");
	for (uint64_t i = 0; i < n; i++)
		a->free[i] = (uint32_t)(a->pages - 1 - i);
	for (uint64_t i = n; seed && i > 1; i--) {
		uint64_t j = rnd_below(&seed, i);
		uint32_t page = a->free[j];

		a->free[j] = a->free[i - 1];
		a->free[i - 1] = page;
	}
	a->nfree = n;
	a->nfreed = 0;
}

void arena_close(struct arena *a)
{
	munmap(a->mem, ((a->pages << 12) + HUGE - 1) & ~(HUGE - 1));
	free(a->free);
	free(a->freed);
	memset(a, 0, sizeof(*a));
}

void arena_zero(struct arena *a)
{
	for (uint64_t i = a->nfree; i < a->pages - ARENA_ROOT; i++)
		memset(arena_page(a, a->free[i]), 0, 1 << 12);
}

void arena_reset(struct arena *a)
{
	arena_zero(a);
	a->nfree = a->pages - ARENA_ROOT;
	a->nfreed = 0;
}
