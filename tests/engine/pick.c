/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the bytes of a sequence say: an instance, and one operation for each record.
 */
#include "world.h"

/* Pages that a map may have to make one by one. */
#define PAGES_MOST 2048u

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

	if (h[0] & 0x40)
		cfg.features |= S2_FEAT_VMID16;
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
}

/* A frame of its own for every page of IPA, in every place. */
static void pick_frames(const struct world *w, const uint8_t *r, struct call *c)
{
	unsigned region = r[2] >> 7, place = r[7] % w->places;
	uint64_t x = c->ipa - w->region[region], off;

	/* Blocks fit in every third place; in others there must be few pages. */
	if (c->size > PAGES_MOST * w->page || r[7] & 0x40)
		place -= place % 3;
	off = place % 3;
	c->pa = (2 * place + region) * 2 * w->region_size + w->page * off + x;
	/* Never 0, and all bits of an address where there are 52. */
	c->pa += w->region_size / 2;
	if (w->s2.wide != S2_WIDE_NO && r[7] & 0x80)
		c->pa += UINT64_C(0xd) << 47;
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
	if (!perms)
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
	/* No shared call on the instance from the first on. */
	if (r[13] & 1 && w->runs_allowed && (!(c->attr & S2_DBM) || r[13] >= 0xf0))
		flags |= S2_MAP_CONT;
	if (r[13] & 8)
		flags |= S2_KEEP_NOTES;
	if (b & 0xc0)
		flags |= b & 0x40 ? S2_DROP_EDGES : S2_SPLIT_EDGES;
	if (w->shared == 1 || (w->shared == 2 && r[1] & 0x08))
		flags |= S2_SHARED;
	flags &= c->kind->flags;
	/* Without S2_MAP_REPLACE a map has no edges; with it, see promise_unmap(). */
	if (c->kind->flags & S2_MAP_REPLACE)
		flags &= ~(flags & S2_MAP_REPLACE ? S2_NO_CLEAN :
						    S2_DROP_EDGES | S2_SPLIT_EDGES);
	if (c->size > PAGES_MOST * w->page)
		flags &= ~S2_MAP_PAGES;
	return flags;
}

static void pick_op(const struct world *w, const uint8_t *r, struct call *c)
{
	/* No more than some hundred steps for the largest leaf. */
	uint64_t least = (w->big ? w->big : w->block) / 128;

	if (least < S2_BUDGET_BYTES_MIN)
		least = S2_BUDGET_BYTES_MIN;
	if (!(r[10] & 3))
		c->op.max_entries = S2_BUDGET_ENTRIES_MIN + (r[10] >> 2) * 8u;
	if (!(r[10] & 0xc))
		c->op.max_bytes = least + (r[10] >> 4) * least / 4;
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
	/* What a map replaces it can look through neither beside others nor in parts. */
	if (c->flags & S2_MAP_REPLACE && c->flags & S2_SHARED)
		return;
	if (c->flags & S2_MAP_REPLACE)
		c->op.max_entries = 0;
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

/* Between the steps of a flush nothing may be added to the batch. */
static bool flushing(const struct world *w)
{
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (w->slot[i].more && w->slot[i].kind->flushes)
			return true;
	return false;
}

void pick_call(struct world *w, const uint8_t *r, struct call *c)
{
	struct flat then = c->then;
	uint64_t least;

	*c = (struct call){ .kind = pick_kind(r[0]), .then = then };
	/* No shared call while a batch is open; one flush at a time, with an op. */
	if (c->kind->flushes && (w->shared || flushing(w)))
		c->kind = kinds;
	c->slot = (unsigned)(c - w->slot);
	pick_op(w, r, c);
	pick_range(w, r, c);
	c->attr = pick_attr(w, r);
	c->flags = pick_flags(w, r, c);
	least = c->kind->tables * (w->page / 8);
	if (c->kind->batch && w->batched.open && !flushing(w) && r[11] & 1) {
		c->op.batch = &w->batch;
		c->batched = &w->batched;
		if (c->limbo < 0) {
			c->limbo = 0;
			c->op.limbo = w->limbo;
		}
		c->with_op = true;
	}
	if (c->flags & S2_SHARED && c->op.max_entries && c->op.max_entries < least)
		c->op.max_entries += (uint32_t)least;
	c->note = r[13] >> 4 & 3;
	pick_frames(w, r, c);
	c->lo = c->ipa;
	c->hi = c->ipa + c->size;
	runs_widen_call(w, &c->lo, &c->hi);
	c->cut = c->lo < c->ipa || c->hi > c->ipa + c->size;
	if (!c->kind->whole) {
		c->lo = c->ipa;
		c->hi = c->ipa + c->size;
	}
	flat_extent(&w->flat, &c->lo, &c->hi);
	c->from = c->lo;
	c->to = c->hi;
	pick_log(w, r, c);
	/* What was waived, and where, is not known when others are in between. */
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (w->slot[i].more && w->slot[i].from < c->hi && c->lo < w->slot[i].to)
			c->flags &= ~S2_NO_CLEAN;
}
