/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the bytes of a sequence say: an instance, and one operation for each record.
 */
#include <string.h>

#include "world.h"

/* Pages that a map may have to make one by one. */
#define PAGES_MOST 2048u
#define EDGES (S2_DROP_EDGES | S2_SPLIT_EDGES)

struct s2_config pick_config(const uint8_t *h, unsigned *reach)
{
	static const uint8_t granules[] = { 12, 12, 12, 12, 12, 14, 14, 16 };
	static const uint8_t pa_bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };
	struct s2_config cfg = {
		.granule_shift = granules[h[0] & 7],
		.pa_bits = pa_bits[h[1] & 7],
		.features = h[2] & (S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL |
				    S2_FEAT_HAFDBS | S2_FEAT_XNX | S2_FEAT_BBM1 |
				    S2_FEAT_BBM2 | S2_FEAT_ETS2),
		.errata = h[0] & 0x30 ? 0 : S2_ERRATUM_REPEAT_TLBI,
	};
	unsigned g = cfg.granule_shift, top, need;
	struct s2_layout layout;

	if (h[0] & 0x40)
		cfg.features |= S2_FEAT_VMID16;
	/* In half of the instances some leaves are counted: nearly all, or a few. */
	if (h[6] & 0x20)
		cfg.counted = h[6] & 0x10 ? 0xfffe :
					    (uint16_t)(1 | 1u << (h[7] >> 2 & 15));
	if (h[5] & 0x20 && cfg.features & S2_FEAT_HAFDBS)
		cfg.features |= S2_FEAT_DBM;
	if (h[0] & 0x80) {
		cfg.pa_bits = 52;
		if (g != 16)
			cfg.features |= S2_FEAT_LPA2;
	}
	/* Blocks above level 2: where there are any, in one of eight. */
	*reach = 2 * g - 3;
	if (!(h[3] & 7) && (g == 12 || cfg.pa_bits == 52))
		*reach = 3 * g - 6;
	top = 4 * g - 9;
	if (!(h[3] & 0x3f) && g == 12 && cfg.pa_bits == 52)
		*reach = top;
	/* Four blocks in each region, and room for their frames below the tables. */
	need = *reach + 2;
	if (need < 32)
		need = 32;
	for (unsigned i = 0; i < 6 && cfg.pa_bits < need + 5; i++)
		if (pa_bits[i] >= need + 5)
			cfg.pa_bits = pa_bits[i];
	cfg.ipa_bits = (uint8_t)(need + h[4] % (cfg.pa_bits - need + 1u));
	/* As many levels as there may be, in one of four. */
	cfg.min_levels = (h[3] & 0xc0) == 0xc0 ? S2_LEVELS : 0;
	while (cfg.min_levels && s2_layout(&cfg, &layout))
		cfg.min_levels--;
	return cfg;
}

/* Around a boundary between tables of some level, or the first or the last addresses. */
uint64_t pick_region(const struct world *w, uint8_t h)
{
	unsigned shift = w->s2.granule_shift + (w->s2.granule_shift - 3u) * (2u + h % 4);
	uint64_t all = UINT64_C(1) << w->s2.ipa_bits;

	if (h & 0x80)
		return h & 0x40 ? all - w->region_size : 0;
	if (shift >= w->s2.ipa_bits || (UINT64_C(1) << shift) < w->region_size / 2)
		return all / 2 - w->region_size / 2;
	return (UINT64_C(1) << shift) - w->region_size / 2;
}

static unsigned region_of(const struct world *w, uint64_t ipa)
{
	return ipa - w->region[1] < w->region_size;
}

/* To a leaf that is parked, which is rare and does not last. */
static void to_parked(const struct world *w, unsigned pos, unsigned len, struct call *c)
{
	const struct flat_run *r;
	bool more = false;
	uint64_t left;

	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		more |= w->slot[i].more && w->slot[i].op.max_bytes;
	if (!more)
		return;
	for (r = w->flat.run; r < w->flat.run + w->flat.n; r++)
		if (r->busy == FLAT_PARKED)
			break;
	if (r == w->flat.run + w->flat.n)
		return;
	c->ipa = r->ipa + pos % ((r->end - r->ipa) / w->page) * w->page;
	/* Who finds it busy, and has nothing to finish. */
	if (len % 4 == 0) {
		c->kind = kind_of(len & 4 ? "relax_perms" :
				  len & 8 ? "mkyoung" :
					    "annotate");
		c->size = w->page;
	}
	left = w->region[region_of(w, c->ipa)] + w->region_size - c->ipa;
	if (c->size > left)
		c->size = left;
}

static void pick_range(const struct world *w, const uint8_t *r, struct call *c)
{
	unsigned pos = r[3] | (unsigned)r[4] << 8, len = r[5] | (unsigned)r[6] << 8;
	uint64_t unit = w->big && r[2] & 0x10 ? w->big : w->block;
	uint64_t pages = unit / w->page, n = 1, at, most = w->region_size / w->page;

	/* Near a boundary between blocks, or anywhere around the middle. */
	at = pages * (1 + (pos >> 1) % 3);
	if (pos & 1)
		at = at + (pos >> 3) % 33 - 16;
	else
		at = most / 2 - w->block / w->page * 3 / 2 +
		     (pos >> 1) % (3 * w->block / w->page);
	switch (r[2] & 15) {
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		n = 1 + len % 40;
		break;
	case 10:
		n = 1 + len % 1100;
		break;
	case 11:
	case 12:
	case 13:
		n = pages * (1 + len % 2);
		at = pages * (pos % 3);
		break;
	case 14:
		at = pages * (1 + pos % 2);
		n = pages + len % 20;
		break;
	case 15:
		n = (pages < PAGES_MOST / 2 ? pages : PAGES_MOST / 2) + len % 64;
		break;
	default:
		break;
	}
	if (c->kind->point)
		n = 1;
	if (c->kind->most && n > c->kind->most)
		n = c->kind->most;
	if (n > most - at)
		n = most - at;
	c->ipa = w->region[r[2] >> 7] + at * w->page;
	c->size = n * w->page;
	if (r[6] & 1)
		to_parked(w, pos, len, c);
}

/*
 * Frames for the range: few, so that they move between addresses, types and sizes. In
 * two of three a block fits.
 */
static void pick_frames(const struct world *w, const uint8_t *r, struct call *c)
{
	uint64_t x = c->ipa - w->region[region_of(w, c->ipa)],
		 unit = w->big ? w->big : w->block;
	unsigned place = r[7] % w->places, off = (r[7] >> 3) % 3;

	/* Then there must be few pages. */
	if (c->size > PAGES_MOST * w->page)
		off = 0;
	c->pa = w->region_size / 2 + place * w->region_size + x;
	c->pa += unit * (r[7] >> 5 & 3) + (off == 1 ? w->page : 0);
	/* All bits of an address where there are 52. */
	if (w->s2.wide != S2_WIDE_NO && r[7] & 0x80)
		c->pa += UINT64_C(0xd) << 47;
}

/*
 * Now and then what is there already, with other permissions or only other software bits;
 * past the end of it there may be something else, or nothing.
 */
static void pick_again(const struct world *w, const uint8_t *r, struct call *c)
{
	const struct flat_run *there = flat_at(&w->flat, c->ipa);
	s2_attr_t changes = r[13] & 0x10 ? S2_R | S2_W | S2_X | S2_SW_MASK : S2_SW_MASK;

	if (!(r[13] & 0x20) || !there || there->ipa > c->ipa || there->busy ||
	    there->pa + c->size > UINT64_C(1) << (w->s2.pa_bits - 1))
		return;
	if (there->attr & S2_MEM_DEV_nGnRnE)
		changes &= ~S2_X;
	/* As in pick_frames(). */
	if (c->size > PAGES_MOST * w->page &&
	    (there->pa - there->ipa) & ((w->big ? w->big : w->block) - 1))
		return;
	c->pa = there->pa + (c->ipa - there->ipa);
	c->attr = (there->attr & ~changes) | (c->attr & changes);
}

/* What the instance knows, but for one in sixteen, which may be anything. */
static s2_attr_t pick_attr(const struct world *w, const uint8_t *r)
{
	static const s2_attr_t exec[] = { S2_X, S2_XU, S2_XP, S2_X };
	static const s2_attr_t sh[8] = { [1] = S2_SH_OUTER, [2] = S2_SH_NONE };
	static const s2_attr_t mem[] = { S2_MEM_WB, S2_MEM_WB,	   S2_MEM_WB,
					 S2_MEM_WB, S2_MEM_NC,	   S2_MEM_DEV_nGnRE,
					 S2_MEM_S1, S2_MEM_DEV_GRE };
	s2_attr_t a = mem[r[8] & 7], perms = r[8] >> 3 & (S2_R | S2_W);
	uint32_t features = w->s2.features;
	bool any = r[13] >= 0xf0;

	if (a == S2_MEM_S1 && !(features & S2_FEAT_FWB) && !any)
		a = S2_MEM_NC;
	if (r[8] & 0x20 && (!(a & S2_MEM_DEV_nGnRnE) || any))
		perms |= features & S2_FEAT_XNX || any ? exec[r[12] & 3] : S2_X;
	/* A leaf may permit nothing. */
	if (!perms && !(r[12] & 0x10))
		perms = S2_R | S2_W;
	if (w->s2.wide != S2_WIDE_LPA2 || any)
		a |= sh[r[12] >> 2 & 7];
	if (r[12] & 0x20 && (features & S2_FEAT_DBM || any))
		a |= S2_DBM;
	return a | perms | (r[8] & 0xc0 ? 0 : S2_SW(r[8] >> 2));
}

static uint32_t pick_flags(const struct world *w, const uint8_t *r, const struct call *c)
{
	uint8_t b = r[9];
	uint32_t flags = 0;

	if (b & 1)
		flags |= S2_MAP_REPLACE;
	if (!(b & 6))
		flags |= S2_MAP_PAGES;
	if (!(b & 0x18))
		flags |= S2_NO_CLEAN;
	if (b & 0x20)
		flags |= S2_CLEAR;
	if (r[13] & 1 && w->runs_allowed && (!(c->attr & S2_DBM) || r[13] >= 0xf0))
		flags |= S2_MAP_CONT;
	if (r[13] & 8)
		flags |= S2_KEEP_NOTES;
	if (b & 0xc0)
		flags |= b & 0x40 ? S2_DROP_EDGES : S2_SPLIT_EDGES;
	if (w->shared == 1 || (w->shared == 2 && r[1] & 0x08))
		flags |= S2_SHARED;
	if (b & 0x20 && r[13] & 8)
		flags |= S2_MAP_NEW;
	flags &= c->kind->flags;
	/* Without S2_MAP_REPLACE no edge is dropped. */
	if (c->kind->flags & S2_MAP_REPLACE && !(flags & S2_MAP_REPLACE))
		flags &= c->kind->note == NOTE_SETS ? 0 : ~S2_DROP_EDGES;
	if (c->kind->note == NOTE_SETS && !c->note)
		flags = 0;
	if (c->size > PAGES_MOST * w->page)
		flags &= ~S2_MAP_PAGES;
	return flags;
}

void pick_budget(const struct world *w, const uint8_t *r, struct call *c)
{
	/* No more than some hundred steps for the largest leaf. */
	uint64_t least = (w->big ? w->big : w->block) / 128;
	uint32_t entries = c->kind->tables * (uint32_t)(w->page / 8);

	if (least < S2_BUDGET_BYTES_MIN)
		least = S2_BUDGET_BYTES_MIN;
	if (entries < S2_BUDGET_ENTRIES_MIN)
		entries = S2_BUDGET_ENTRIES_MIN;
	c->op.max_entries = r[10] & 3 ? 0 : entries + (r[10] >> 2) * 8u;
	c->op.max_bytes = r[10] & 0xc ? 0 : least + (r[10] >> 4) * least / 4;
}

static void pick_op(const struct world *w, const uint8_t *r, struct call *c)
{
	pick_budget(w, r, c);
	c->limbo = w->walker || w->shared || r[1] & 0x40 ? r[1] >> 7 : -1;
	if (c->limbo >= 0)
		c->op.limbo = &((struct world *)(uintptr_t)w)->limbo[c->limbo];
	c->with_op = c->kind->flushes || c->op.max_entries || c->op.max_bytes ||
		     c->limbo >= 0 || r[10] & 0x40;
	c->fail_after = r[11] & 0xe0 ? -1 : r[11] & 7;
}

/* A log of all that may go by it, or less. */
static void pick_log(struct world *w, const uint8_t *r, struct call *c)
{
	bool whole = r[13] & 4 && c->hi - c->lo <= LOG_PAGES * w->page;

	if (!c->kind->log ||
	    (c->kind->log == LOG_SOME && !(w->s2.features & S2_FEAT_DBM && r[13] & 2)))
		return;
	if (!pick_odd(r) && c->flags & S2_SHARED && c->kind->flags & EDGES)
		return;
	c->log = &w->log[c->slot];
	log_open(c->log, &w->flat, whole ? c->lo : c->ipa,
		 whole ? c->hi : c->ipa + c->size);
	if (c->kind->log == LOG_SOME) {
		c->op.dirty = &c->log->dirty;
		c->with_op = true;
	}
}

bool pick_batches;

static unsigned often(const struct kind *k)
{
	return k->often + (k->flushes && pick_batches ? 12 : 0);
}

static const struct kind *pick_kind(uint8_t b)
{
	unsigned all = 0, at = b;
	const struct kind *k;

	for (unsigned i = 0; i < kinds_n; i++)
		all += often(&kinds[i]);
	at %= all;
	for (k = kinds; at >= often(k); k++)
		at -= often(k);
	return k;
}

bool pick_odd(const uint8_t *r)
{
	return (r[12] & 0xc0) == 0xc0 && (r[9] & 6) == 2;
}

/* Combinations that there are: others are refused (refusals() in world.c). */
static void make_legal(const struct world *w, const uint8_t *r, struct call *c)
{
	/* Those for one address take no op. */
	if (c->kind->point && !c->kind->flushes && strcmp(c->kind->name, "release"))
		c->op.max_entries = 0, c->op.max_bytes = 0, c->with_op = false;
	if (pick_odd(r)) {
		if (r[0] & 1)
			c->op.max_entries /= 8;
		if (w->batched.open && r[11] & 2 && c->with_op) {
			c->op.batch = &((struct world *)(uintptr_t)w)->batch;
			c->with_op = true;
		}
		return;
	}
	if (w->batched.open || w->s2.special & S2_RUNS)
		c->flags &= ~S2_SHARED;
	if (c->flags & S2_SHARED || (c->kind->flushes && w->batched.open))
		c->op.max_entries = 0, c->op.max_bytes = 0;
	if (c->flags & S2_SHARED)
		c->flags &= ~(S2_KEEP_NOTES | S2_MAP_CONT);
}

/* How a guest reaches memory of this type: what it writes is seen by the same way. */
static unsigned reaches(const struct world *w, s2_attr_t attr)
{
	s2_attr_t mem = attr & S2_MEM_MASK;

	if (!flat_weak(&w->flat, attr))
		return mem == S2_MEM_WB ? 0 : 1;
	return mem == S2_MEM_NC ? 2 : 3;
}

const struct flat_run *frames_used(const struct world *w, uint64_t pa, uint64_t size,
				   const struct flat_run *after, struct flat_run *r)
{
	const struct flat *f = &w->flat;
	const struct flat_run *at = after ? after + 1 : f->run;

	for (; at < f->run + f->n; at++) {
		if (!at->pa || at->pa >= pa + size || at->pa + (at->end - at->ipa) <= pa)
			continue;
		*r = flat_cut(at, at->pa < pa ? at->ipa + (pa - at->pa) : at->ipa,
			      at->ipa + (pa + size - at->pa));
		return at;
	}
	return NULL;
}

/*
 * The embedder's part: a frame that is mapped elsewhere, or still pending, is not mapped
 * anew before it has been unmapped there. But by one call that replaces both it may move
 * (all at once, or its type stays), and two addresses may have it alike. What cannot be
 * done now is unmapped instead.
 */
static void keep_discipline(struct world *w, const uint8_t *r, struct call *c)
{
	const struct flat_run *at = NULL;
	bool at_once = !c->op.max_entries && !c->op.max_bytes && !(c->flags & S2_SHARED);
	struct flat_run p;

	/* What an operation under way is about to map. */
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		const struct call *o = &w->slot[i];

		if (o->more && o->kind->note == NOTE_MAPS && o != c &&
		    o->pa < c->pa + c->size && c->pa < o->pa + o->size) {
			c->kind = kind_of("lookup");
			return;
		}
	}
	while ((at = frames_used(w, c->pa, c->size, at, &p))) {
		bool inside = p.ipa >= c->ipa && p.end <= c->ipa + c->size;
		bool alike = !p.busy && reaches(w, p.attr) == reaches(w, c->attr);

		if (!p.busy && p.pa - p.ipa == c->pa - c->ipa)
			continue;
		if (!p.busy && inside && c->flags & S2_MAP_REPLACE && (at_once || alike))
			continue;
		if (alike && (r[6] & 7) == 7)
			continue;
		c->kind = kind_of(p.busy > FLAT_PARKED ? "batch" : "unmap");
		c->ipa = p.ipa;
		c->size = p.end - p.ipa;
		return;
	}
}

void pick_call(struct world *w, const uint8_t *r, struct call *c)
{
	struct flat then = c->then;

	*c = (struct call){ .kind = pick_kind(r[0]), .then = then };
	/* No batch where all calls are shared. */
	if (c->kind->flushes && w->shared == 1)
		c->kind = kinds;
	c->slot = (unsigned)(c - w->slot);
	pick_range(w, r, c);
	c->attr = pick_attr(w, r);
	c->note = r[13] >> 4 & 3;
	pick_op(w, r, c);
	pick_frames(w, r, c);
	pick_again(w, r, c);
	c->flags = pick_flags(w, r, c);
	make_legal(w, r, c);
	if (c->kind->note == NOTE_MAPS)
		keep_discipline(w, r, c);
	if (c->kind->note != NOTE_MAPS) {
		/* It may have become something else. */
		c->flags = pick_flags(w, r, c);
		c->with_op |= c->kind->flushes;
		make_legal(w, r, c);
	}
	if (c->kind->note == NOTE_DROPS && w->batched.open && r[11] & 1 &&
	    w->batched.n < WORLD_RANGES && !(c->flags & S2_SHARED)) {
		c->op.batch = &w->batch;
		if (!pick_odd(r))
			c->op.max_entries = 0, c->op.max_bytes = 0;
		if (c->limbo < 0) {
			c->limbo = 0;
			c->op.limbo = w->limbo;
		}
		c->with_op = true;
	}
	/* A run that stays gets no dirty state: engine-runs has the refusal. */
	if (flat_any(&w->runs, c->ipa, c->ipa + c->size))
		c->attr &= ~S2_DBM;
	c->done = c->start = c->ipa;
	c->end = c->ipa + c->size;
	c->lo = c->ipa;
	c->hi = c->ipa + c->size;
	flat_extent(&w->flat, &c->lo, &c->hi);
	pick_log(w, r, c);
}
