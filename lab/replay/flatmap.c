// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "flatmap.h"

#define CHUNK_SIZE (FLAT_CHUNK * FLAT_PAGE)

static int chunk_cmp(struct flat_chunk *a, struct flat_chunk *b)
{
	return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

RB_PROTOTYPE(flat_tree, flat_chunk, node, chunk_cmp)
RB_GENERATE(flat_tree, flat_chunk, node, chunk_cmp)

/* ---- frames ------------------------------------------------------------------ */

/* Open addressing; slots hold frame + 1 so that 0 means never used. */
static size_t frame_slot(const struct flat_frames *fr, uint64_t frame)
{
	size_t i = (size_t)((frame * UINT64_C(0x9e3779b97f4a7c15)) >> 20);

	for (;; i++) {
		i &= fr->slots - 1;
		if (!fr->slot[i].frame || fr->slot[i].frame == frame + 1)
			return i;
	}
}

/* Makes room for twice the frames that are mapped, and drops the others. */
static bool frames_grow(struct flat_frames *fr)
{
	struct flat_frames bigger = { .slots = 1024 };
	size_t i, live = 0;

	for (i = 0; i < fr->slots; i++)
		live += fr->slot[i].count > 0;
	while (bigger.slots < live * 4)
		bigger.slots *= 2;
	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (i = 0; i < fr->slots; i++)
		if (fr->slot[i].count)
			bigger.slot[frame_slot(&bigger, fr->slot[i].frame - 1)] =
				fr->slot[i];
	free(fr->slot);
	fr->slot = bigger.slot;
	fr->slots = bigger.slots;
	fr->used = live;
	return true;
}

static bool frame_get(struct flat_frames *fr, uint64_t pa)
{
	size_t i;

	if (fr->used * 2 >= fr->slots && !frames_grow(fr))
		return false;
	i = frame_slot(fr, pa / FLAT_PAGE);
	fr->used += !fr->slot[i].frame;
	fr->slot[i].frame = pa / FLAT_PAGE + 1;
	fr->slot[i].count++;
	fr->mapped++;
	return true;
}

static bool frame_put(struct flat_frames *fr, uint64_t pa)
{
	size_t i = frame_slot(fr, pa / FLAT_PAGE);
	struct flat_run *run;

	fr->mapped--;
	if (--fr->slot[i].count)
		return true;
	run = fr->freed_n ? &fr->freed[fr->freed_n - 1] : NULL;
	if (run && run->pa + run->size == pa) {
		run->size += FLAT_PAGE;
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
	fr->freed[fr->freed_n++] = (struct flat_run){ pa, FLAT_PAGE };
	return true;
}

void flat_frames_free(struct flat_frames *fr)
{
	free(fr->slot);
	free(fr->freed);
	memset(fr, 0, sizeof(*fr));
}

/* ---- pages ------------------------------------------------------------------- */

static uint64_t leaf_size(unsigned level)
{
	return FLAT_PAGE << 9 * (3 - level);
}

static struct flat_chunk *chunk_find(struct flatmap *fm, uint64_t ipa)
{
	struct flat_chunk key = { .ipa = ipa & ~(CHUNK_SIZE - 1) };

	if (!fm->last || fm->last->ipa != key.ipa) {
		struct flat_chunk *c = RB_FIND(flat_tree, &fm->tree, &key);

		if (!c)
			return NULL;
		fm->last = c;
	}
	return fm->last;
}

/* The page of @ipa if its chunk exists, mapped or not. */
static struct flat_page *page_of(struct flatmap *fm, uint64_t ipa)
{
	struct flat_chunk *c = chunk_find(fm, ipa);

	return c ? &c->page[ipa / FLAT_PAGE % FLAT_CHUNK] : NULL;
}

const struct flat_page *flat_get(struct flatmap *fm, uint64_t ipa)
{
	const struct flat_page *p = page_of(fm, ipa);

	return p && p->level ? p : NULL;
}

uint64_t flat_next(struct flatmap *fm, uint64_t ipa, uint64_t end)
{
	struct flat_chunk *c = chunk_find(fm, ipa), key;

	if (!c) {
		key.ipa = ipa;
		c = RB_NFIND(flat_tree, &fm->tree, &key);
	}
	for (; c && c->ipa < end; c = RB_NEXT(flat_tree, &fm->tree, c)) {
		if (ipa < c->ipa)
			ipa = c->ipa;
		for (; ipa < c->ipa + CHUNK_SIZE; ipa += FLAT_PAGE)
			if (c->page[ipa / FLAT_PAGE % FLAT_CHUNK].level)
				return ipa < end ? ipa : end;
	}
	return end;
}

/* [ipa, ipa + size), extended to whole leaves. */
static struct flat_range whole_leaves(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	struct flat_range r = { ipa, ipa + size, 0, false };
	const struct flat_page *p;

	p = flat_get(fm, ipa);
	if (p)
		r.start &= ~(leaf_size(p->level) - 1);
	p = flat_get(fm, ipa + size - FLAT_PAGE);
	if (p)
		r.end = ((r.end - 1) | (leaf_size(p->level) - 1)) + 1;
	r.cut = r.start != ipa || r.end != ipa + size;
	return r;
}

bool flat_unmap(struct flatmap *fm, uint64_t ipa, uint64_t size, struct flat_range *r)
{
	uint64_t at;
	bool ok = true;

	*r = whole_leaves(fm, ipa, size);
	for (at = flat_next(fm, r->start, r->end); at < r->end;
	     at = flat_next(fm, at, r->end)) {
		struct flat_chunk *c = chunk_find(fm, at);
		uint64_t stop = c->ipa + CHUNK_SIZE < r->end ? c->ipa + CHUNK_SIZE :
							       r->end;

		for (; at < stop; at += FLAT_PAGE) {
			struct flat_page *p = &c->page[at / FLAT_PAGE % FLAT_CHUNK];

			if (!p->level)
				continue;
			ok &= frame_put(fm->frames, p->pa);
			p->level = 0;
			c->used--;
			fm->pages--;
			r->pages++;
		}
		if (!c->used) {
			RB_REMOVE(flat_tree, &fm->tree, c);
			if (fm->last == c)
				fm->last = NULL;
			free(c);
		}
	}
	return ok;
}

static struct flat_chunk *chunk_make(struct flatmap *fm, uint64_t ipa)
{
	struct flat_chunk *c = chunk_find(fm, ipa);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->ipa = ipa & ~(CHUNK_SIZE - 1);
	RB_INSERT(flat_tree, &fm->tree, c);
	fm->last = c;
	return c;
}

bool flat_map(struct flatmap *fm, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, struct flat_range *r)
{
	unsigned level = size == leaf_size(1) ? 1 : size == leaf_size(2) ? 2 : 3;
	uint64_t off;

	/* Counts the new use first: a frame may be mapped before and after. */
	for (off = 0; off < size; off += FLAT_PAGE)
		if (!frame_get(fm->frames, pa + off))
			return false;
	if (!flat_unmap(fm, ipa, size, r))
		return false;
	for (off = 0; off < size; off += FLAT_PAGE) {
		struct flat_chunk *c = chunk_make(fm, ipa + off);

		if (!c)
			return false;
		c->page[(ipa + off) / FLAT_PAGE % FLAT_CHUNK] =
			(struct flat_page){ pa + off, (uint16_t)attr, (uint8_t)level,
					    true };
		c->used++;
		fm->pages++;
	}
	return true;
}

/* A loop over the mapped pages of the range r. */
#define for_each_page(fm, r, at, p)                   \
	for (at = flat_next(fm, (r).start, (r).end);  \
	     at < (r).end && ((p) = page_of(fm, at)); \
	     at = flat_next(fm, at + FLAT_PAGE, (r).end))

void flat_wrprotect(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	struct flat_range r = whole_leaves(fm, ipa, size);
	struct flat_page *p;
	uint64_t at;

	for_each_page(fm, r, at, p) p->attr &= (uint16_t)~S2_W;
}

void flat_relax(struct flatmap *fm, uint64_t ipa, s2_attr_t perms)
{
	struct flat_range r = whole_leaves(fm, ipa, FLAT_PAGE);
	struct flat_page *p;
	uint64_t at;

	for_each_page(fm, r, at, p)
	{
		p->attr |= (uint16_t)perms;
		p->young = true;
	}
}

void flat_mkyoung(struct flatmap *fm, uint64_t ipa)
{
	flat_relax(fm, ipa, 0);
}

bool flat_age(struct flatmap *fm, uint64_t ipa, uint64_t size, bool clear)
{
	struct flat_range r = whole_leaves(fm, ipa, size);
	struct flat_page *p;
	bool young = false;
	uint64_t at;

	for_each_page(fm, r, at, p)
	{
		young |= p->young;
		p->young &= !clear;
	}
	return young;
}

void flat_split(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	struct flat_range r = whole_leaves(fm, ipa, size);
	uint64_t in_start = ipa & ~(leaf_size(2) - 1);
	uint64_t in_end = ((ipa + size - 1) | (leaf_size(2) - 1)) + 1;
	struct flat_page *p;
	uint64_t at;

	for_each_page(fm, r, at, p)
	{
		if (p->level < 3)
			p->young = true;
		p->level = at >= in_start && at < in_end ? 3 :
			   p->level == 1		 ? 2 :
							   p->level;
	}
}

void flat_init(struct flatmap *fm, struct flat_frames *frames)
{
	memset(fm, 0, sizeof(*fm));
	RB_INIT(&fm->tree);
	fm->frames = frames;
}

bool flat_free(struct flatmap *fm)
{
	struct flat_range r;

	return flat_unmap(fm, 0, UINT64_C(1) << 52, &r);
}
