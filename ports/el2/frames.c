/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames for the guest, in two zones, so that single pages do not break up what blocks
 * need. Pages come from the first zone: as many as the guest can have, and some more.
 * Blocks come from the second zone. vm.page_lock, or vm.lock for writing, protects all of
 * it.
 *
 * A freed frame is poisoned and stays free for as long as possible (each zone is used
 * round robin). A stale translation that writes to the frame breaks the poison. One that
 * reads it gets the poison.
 */
#include "el2.h"

#define FRAMES_MAX (GIB(4) / PAGE)

struct zone {
	uint64_t first, end; /* frame numbers from the start */
	uint64_t next;	     /* where the search continues */
};

static uint64_t base; /* PA of frame 0 */
static struct zone pages, blocks;
static uint64_t used[FRAMES_MAX / 64], poisoned[FRAMES_MAX / 64];

static bool bit(const uint64_t *map, uint64_t n)
{
	return map[n / 64] >> n % 64 & 1;
}

static void set_bit(uint64_t *map, uint64_t n, bool on)
{
	if (on)
		map[n / 64] |= 1ull << n % 64;
	else
		map[n / 64] &= ~(1ull << n % 64);
}

void frames_init(uint64_t start, uint64_t end, uint64_t for_pages)
{
	const uint64_t first = (start + BLOCK_SIZE - 1) & ~(BLOCK_SIZE - 1);
	const uint64_t n = (end - first) / BLOCK_SIZE * BLOCK_PAGES;
	/* An eighth more than the guest can have, so that pages can move. */
	uint64_t split = (for_pages + for_pages / 8 + BLOCK_PAGES) & ~511ull;

	if (n > FRAMES_MAX || split > n)
		el2_panic("%lu frames for a guest of %lu pages", n, for_pages);
	base = first;
	pages = (struct zone){ 0, split, 0 };
	blocks = (struct zone){ split, n, split };
}

static uint64_t poison(uint64_t n, uint64_t i)
{
	return 0xdead4bad00000000ull ^ n << 12 ^ i;
}

static void check_poison(uint64_t n)
{
	const volatile uint64_t *p = (const volatile uint64_t *)(base + n * PAGE);

	if (!bit(poisoned, n))
		return;
	set_bit(poisoned, n, false);
	for (uint64_t i = 0; i < PAGE / 8; i++)
		if (p[i] != poison(n, i)) {
			vm.bad_poison++;
			say("el2: MISMATCH: free frame %lx was written at %lu: %lx",
			    base + n * PAGE, i * 8, p[i]);
			return;
		}
}

uint64_t frame_alloc(void)
{
	for (uint64_t tries = pages.first; tries < pages.end; tries++) {
		const uint64_t n = pages.next;

		pages.next = n + 1 < pages.end ? n + 1 : pages.first;
		if (bit(used, n))
			continue;
		set_bit(used, n, true);
		check_poison(n);
		return base + n * PAGE;
	}
	return 0;
}

uint64_t frame_alloc_block(void)
{
	for (uint64_t tries = blocks.first; tries < blocks.end; tries += BLOCK_PAGES) {
		const uint64_t n = blocks.next;
		uint64_t any = 0;

		blocks.next += BLOCK_PAGES;
		if (blocks.next >= blocks.end)
			blocks.next = blocks.first;
		for (uint64_t i = 0; i < BLOCK_PAGES / 64; i++)
			any |= used[n / 64 + i];
		if (any)
			continue;
		for (uint64_t i = 0; i < BLOCK_PAGES; i++) {
			set_bit(used, n + i, true);
			check_poison(n + i);
		}
		return base + n * PAGE;
	}
	return 0;
}

void frame_free(uint64_t pa)
{
	const uint64_t n = (pa - base) / PAGE;
	volatile uint64_t *p = (volatile uint64_t *)pa;

	for (uint64_t i = 0; i < PAGE / 8; i++)
		p[i] = poison(n, i);
	/* The frames of the images are not from here and are not used again. */
	if (pa < base)
		return;
	set_bit(poisoned, n, true);
	set_bit(used, n, false);
}

void frame_copy(uint64_t to, uint64_t from)
{
	volatile uint64_t *d = (volatile uint64_t *)to;
	const volatile uint64_t *s = (const volatile uint64_t *)from;

	for (uint64_t i = 0; i < PAGE / 8; i++)
		d[i] = s[i];
}

uint64_t frame_sum(uint64_t pa)
{
	const volatile uint64_t *p = (const volatile uint64_t *)pa;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < PAGE / 8; i++)
		sum = (sum << 1 | sum >> 63) ^ p[i];
	return sum;
}
