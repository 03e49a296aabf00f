/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Table pages. Entries change in one place, which logs the old value, so that an
 * explorer can go back, and keeps a hash of them all, so that it can know a state
 * again without reading 18,000 entries.
 */
#include <string.h>

#include "world.h"

struct world world;
uint64_t arena[PAGES * ENTRIES] __attribute__((aligned(4096)));

static struct {
	uint32_t entry;
	uint64_t old;
} log_[1 << 16];

/* Each thread has pages of its own, so that a page's number does not depend on
 * who was first: two orders that lead to the same tables are the same state. */
#define PAGES_EACH 8
#define PAGES_NOBODY (PAGES - THREADS * PAGES_EACH)

static uint64_t mix(uint32_t entry, uint64_t value)
{
	uint64_t h = (value ^ ((uint64_t)entry << 40)) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 29 ^ entry) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

void mem_reset(void)
{
	memset(arena, 0, sizeof(arena));
	memset(&world, 0, sizeof(world));
}

void mem_commit(void)
{
	world.undo = 0;
}

void mem_write(uint32_t entry, uint64_t value)
{
	if (world.undo == sizeof(log_) / sizeof(log_[0])) {
		violation("no-progress", "%u entries written", world.undo);
		return;
	}
	log_[world.undo].entry = entry;
	log_[world.undo++].old = arena[entry];
	world.hash ^= mix(entry, arena[entry]) ^ mix(entry, value);
	arena[entry] = value;
}

void mem_undo(uint32_t to)
{
	while (world.undo > to) {
		world.undo--;
		arena[log_[world.undo].entry] = log_[world.undo].old;
	}
}

/* A page that was linked is never given out again: every use of it is seen. */
uint64_t *mem_alloc(int thread, unsigned pages)
{
	unsigned first = thread == NOBODY ? 0 :
					    PAGES_NOBODY + (unsigned)thread * PAGES_EACH;
	unsigned end = first + (thread == NOBODY ? PAGES_NOBODY : PAGES_EACH), n = 0;

	for (unsigned i = first; i < end; i++) {
		n = world.page[i].state == PAGE_FREE ? n + 1 : 0;
		if (n < pages)
			continue;
		i -= pages - 1;
		for (unsigned j = 0; j < pages; j++) {
			world.page[i + j].state = PAGE_PRIVATE;
			world.meta[i + j][0] = world.meta[i + j][1] = 0;
		}
		return &arena[i * ENTRIES];
	}
	return NULL;
}

void mem_free(uint64_t *table)
{
	struct page *page = &world.page[(table - arena) / ENTRIES];

	if (page->state != PAGE_PRIVATE) {
		page->state = PAGE_FREED;
		return;
	}
	for (unsigned i = 0; i < ENTRIES; i++)
		if (table[i])
			mem_write((uint32_t)(table - arena) + i, 0);
	page->state = PAGE_FREE;
}

int mem_owner(unsigned page)
{
	return page < PAGES_NOBODY ? NOBODY : (int)((page - PAGES_NOBODY) / PAGES_EACH);
}

int32_t mem_index(const void *entry)
{
	uintptr_t at = (uintptr_t)entry, start = (uintptr_t)arena;

	if (at < start || at >= start + sizeof(arena) || at % 8)
		return -1;
	return (int32_t)((at - start) / 8);
}

uint64_t mem_pa(unsigned page)
{
	return PA_TABLES + page * UINT64_C(4096);
}

int mem_page(uint64_t pa)
{
	if (pa < PA_TABLES || pa >= mem_pa(PAGES))
		return -1;
	return (int)((pa - PA_TABLES) / 4096);
}

unsigned mem_in_use(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGES; i++)
		n += world.page[i].state == PAGE_PRIVATE ||
		     world.page[i].state == PAGE_PUBLISHED;
	return n;
}
