/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Uses of frames. A frame is counted in the size of the leaf that maps it, and in each
 * larger frame around it as a use below. So a block of 1 GiB is one entry, and when it is
 * unmapped only those parts of it are looked at that something else maps.
 */
#include <stdlib.h>
#include <string.h>

#include "flat_frames.h"

/* Never 0, which is an empty slot. */
static uint64_t key_of(unsigned level, uint64_t pa)
{
	return (pa & ~(flat_level_size(level) - 1)) | level;
}

/* Open addressing. */
static struct flat_frame *slot_of(const struct flat_frames *fr, uint64_t key)
{
	size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20);

	for (;; i++) {
		i &= fr->slots - 1;
		if (!fr->slot[i].key || fr->slot[i].key == key)
			return &fr->slot[i];
	}
}

static bool in_use(const struct flat_frame *f)
{
	return f->uses || f->below;
}

/* Makes room for twice the frames that are in use, and drops the others. */
static bool frames_grow(struct flat_frames *fr)
{
	struct flat_frames bigger = { .slots = 1024 };
	size_t i, live = 0;

	for (i = 0; i < fr->slots; i++)
		live += in_use(&fr->slot[i]);
	while (bigger.slots < live * 4)
		bigger.slots *= 2;
	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (i = 0; i < fr->slots; i++)
		if (in_use(&fr->slot[i]))
			*slot_of(&bigger, fr->slot[i].key) = fr->slot[i];
	free(fr->slot);
	fr->slot = bigger.slot;
	fr->slots = bigger.slots;
	fr->taken = live;
	return true;
}

static struct flat_frame *frame_make(struct flat_frames *fr, unsigned level, uint64_t pa)
{
	struct flat_frame *f = slot_of(fr, key_of(level, pa));

	fr->taken += !f->key;
	f->key = key_of(level, pa);
	return f;
}

bool flat_frame_get(struct flat_frames *fr, unsigned level, uint64_t pa)
{
	if ((fr->taken + level) * 2 >= fr->slots && !frames_grow(fr))
		return false;
	frame_make(fr, level, pa)->uses++;
	fr->bytes += flat_level_size(level);
	while (--level)
		frame_make(fr, level, pa)->below++;
	fr->mapped++;
	return true;
}

static bool freed(struct flat_frames *fr, uint64_t pa, uint64_t size)
{
	struct flat_run *run = fr->freed_n ? &fr->freed[fr->freed_n - 1] : NULL;

	if (run && run->pa + run->size == pa) {
		run->size += size;
		return true;
	}
	if (fr->freed_n == fr->freed_room) {
		size_t room = fr->freed_room ? fr->freed_room * 2 : 64;

		run = realloc(fr->freed, room * sizeof(*run));
		if (!run)
			return false;
		fr->freed = run;
		fr->freed_room = room;
	}
	fr->freed[fr->freed_n++] = (struct flat_run){ pa, size };
	return true;
}

/* What nobody maps of the frame, which no larger leaf maps, is free. */
static bool release(struct flat_frames *fr, unsigned level, uint64_t pa)
{
	const struct flat_frame *f = slot_of(fr, key_of(level, pa));
	uint64_t end = pa + flat_level_size(level);
	bool ok = true;

	if (f->key && f->uses)
		return true;
	if (!f->key || !f->below)
		return freed(fr, pa, flat_level_size(level));
	for (; pa < end && ok; pa += flat_level_size(level + 1))
		ok = release(fr, level + 1, pa);
	return ok;
}

bool flat_frame_put(struct flat_frames *fr, unsigned level, uint64_t pa)
{
	unsigned at = level;
	bool covered = false;

	slot_of(fr, key_of(level, pa))->uses--;
	while (--at) {
		struct flat_frame *f = slot_of(fr, key_of(at, pa));

		f->below--;
		covered |= f->uses > 0;
	}
	fr->mapped--;
	fr->bytes -= flat_level_size(level);
	return covered || release(fr, level, pa);
}

void flat_frames_free(struct flat_frames *fr)
{
	free(fr->slot);
	free(fr->freed);
	memset(fr, 0, sizeof(*fr));
}
