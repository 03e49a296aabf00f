/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "internal.h"

#define PAGE (UINT64_C(1) << f->shift)

uint64_t flat_leaf_size(const struct flat *f, int level)
{
	return PAGE << (f->shift - 3) * (unsigned)(3 - level);
}

void flat_init(struct flat *f, const struct s2 *s2)
{
	*f = (struct flat){ .shift = s2->granule_shift,
			    .lpa2 = s2->wide == S2_WIDE_LPA2,
			    .features = s2->features,
			    .counted = s2->counted };
	/* Blocks begin a level higher where addresses have 52 bits. */
	f->first = (f->shift == 12 ? 1 : 2) - (s2->wide != S2_WIDE_NO);
	if (f->first < s2->start_level)
		f->first = s2->start_level;
}

void flat_free(struct flat *f)
{
	free(f->run);
	f->run = NULL;
	f->n = f->max = 0;
}

static void make_room(struct flat *f, unsigned n)
{
	if (n <= f->max)
		return;
	f->max = n + n / 2 + 16;
	f->run = realloc(f->run, f->max * sizeof(*f->run));
	if (!f->run)
		abort();
}

void flat_copy(struct flat *to, const struct flat *from)
{
	struct flat_run *run = to->run;
	unsigned max = to->max;

	*to = *from;
	to->run = run;
	to->max = max;
	make_room(to, from->n);
	if (from->n)
		memcpy(to->run, from->run, from->n * sizeof(*from->run));
}

/* ---- runs ---------------------------------------------------------------------- */

/* The first run that ends behind @ipa. */
static unsigned find(const struct flat *f, uint64_t ipa)
{
	unsigned lo = 0, hi = f->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (f->run[mid].end > ipa)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct flat_run flat_cut(const struct flat_run *r, uint64_t lo, uint64_t hi)
{
	struct flat_run p = *r;

	if (lo > p.ipa) {
		p.pa += p.busy && !p.pa ? 0 : lo - p.ipa;
		p.ipa = lo;
	}
	if (hi < p.end)
		p.end = hi;
	return p;
}

static bool continues(const struct flat_run *a, const struct flat_run *b)
{
	if (a->end != b->ipa || a->busy != b->busy)
		return false;
	if (a->level != b->level || a->attr != b->attr || a->young != b->young)
		return false;
	return a->busy && !a->pa ? !b->pa : b->pa - a->pa == b->ipa - a->ipa;
}

static void append(struct flat *f, const struct flat_run *r)
{
	assert(r->ipa < r->end && (!f->n || f->run[f->n - 1].end <= r->ipa));
	if (f->n && continues(&f->run[f->n - 1], r)) {
		f->run[f->n - 1].end = r->end;
		return;
	}
	make_room(f, f->n + 1);
	f->run[f->n++] = *r;
}

/* [lo, hi) becomes @with, @n runs or none. */
static void replace(struct flat *f, uint64_t lo, uint64_t hi, const struct flat_run *with,
		    unsigned n)
{
	unsigned i = find(f, lo), j = i, kept, at;
	struct flat_run edge[2];
	bool before = false, after = false;

	if (i < f->n && f->run[i].ipa < lo) {
		edge[0] = flat_cut(&f->run[i], 0, lo);
		before = true;
	}
	while (j < f->n && f->run[j].ipa < hi)
		j++;
	if (j > i && f->run[j - 1].end > hi) {
		edge[1] = flat_cut(&f->run[j - 1], hi, UINT64_MAX);
		after = true;
	}
	/* The runs beside it may join. */
	if (!before && i && n) {
		edge[0] = f->run[--i];
		before = true;
	}
	if (!after && j < f->n && n) {
		edge[1] = f->run[j++];
		after = true;
	}
	kept = f->n - j;
	at = i + n + before + after;
	make_room(f, at + kept);
	if (kept)
		memmove(&f->run[at], &f->run[j], kept * sizeof(*f->run));
	f->n = i;
	if (before)
		append(f, &edge[0]);
	for (unsigned k = 0; k < n; k++)
		append(f, &with[k]);
	if (after)
		append(f, &edge[1]);
	if (kept && f->n < at)
		memmove(&f->run[f->n], &f->run[at], kept * sizeof(*f->run));
	f->n += kept;
}

void flat_put(struct flat *f, const struct flat_run *r)
{
	replace(f, r->ipa, r->end, r, 1);
}

void flat_drop(struct flat *f, uint64_t lo, uint64_t hi)
{
	replace(f, lo, hi, NULL, 0);
}

const struct flat_run *flat_at(const struct flat *f, uint64_t ipa)
{
	unsigned i = find(f, ipa);

	return i < f->n ? &f->run[i] : NULL;
}

bool flat_any(const struct flat *f, uint64_t lo, uint64_t hi)
{
	unsigned i = find(f, lo);

	return i < f->n && f->run[i].ipa < hi;
}

bool flat_busy(const struct flat *f, uint64_t lo, uint64_t hi)
{
	for (unsigned i = find(f, lo); i < f->n && f->run[i].ipa < hi; i++)
		if (f->run[i].busy)
			return true;
	return false;
}

/* What an open batch has broken is not to be touched, so its edges do not matter. */
static bool covers_edge(const struct flat_run *r, uint64_t ipa)
{
	return r && r->ipa < ipa && r->busy <= FLAT_PARKED;
}

/* The first address of what covers @ipa and begins before it. */
static uint64_t start_of(const struct flat *f, uint64_t ipa)
{
	const struct flat_run *r = flat_at(f, ipa);

	return covers_edge(r, ipa) ? ipa & ~(flat_leaf_size(f, r->level) - 1) : ipa;
}

static uint64_t end_of(const struct flat *f, uint64_t ipa)
{
	const struct flat_run *r = flat_at(f, ipa);

	if (!covers_edge(r, ipa))
		return ipa;
	return ((ipa - 1) | (flat_leaf_size(f, r->level) - 1)) + 1;
}

void flat_extent(const struct flat *f, uint64_t *lo, uint64_t *hi)
{
	*lo = start_of(f, *lo);
	*hi = end_of(f, *hi);
}

void flat_take(struct flat *f, const struct flat *from, uint64_t lo, uint64_t hi)
{
	if (lo >= hi)
		return;
	flat_drop(f, lo, hi);
	for (unsigned i = find(from, lo); i < from->n && from->run[i].ipa < hi; i++) {
		struct flat_run r = flat_cut(&from->run[i], lo, hi);

		flat_put(f, &r);
	}
}

/* ---- operations ---------------------------------------------------------------- */

bool flat_straddles(const struct flat *f, uint64_t ipa)
{
	const struct flat_run *r = flat_at(f, ipa);

	return r && r->ipa < ipa && !r->busy && ipa & (flat_leaf_size(f, r->level) - 1);
}

static void split_at(struct flat *f, uint64_t ipa)
{
	while (flat_straddles(f, ipa)) {
		const struct flat_run *r = flat_at(f, ipa);
		uint64_t size = flat_leaf_size(f, r->level);
		struct flat_run p =
			flat_cut(r, ipa & ~(size - 1), (ipa | (size - 1)) + 1);

		p.level++;
		p.young = true;
		flat_put(f, &p);
	}
}

static int edges(struct flat *f, uint64_t ipa, uint64_t end, uint32_t flags)
{
	if (flags & S2_DROP_EDGES)
		return 0;
	if (!flat_straddles(f, ipa) && !flat_straddles(f, end))
		return 0;
	if (!(flags & S2_SPLIT_EDGES))
		return S2_E_BLOCK;
	split_at(f, ipa);
	split_at(f, end);
	return 0;
}

/* Leaves of one size from @at on, at most to m->to; returns their level. */
static int wanted(const struct flat *f, const struct flat_map *m, uint64_t at,
		  uint64_t *size)
{
	uint64_t block = flat_leaf_size(f, 2), left = m->ipa + m->size - at;
	uint64_t pa = m->pa + (at - m->ipa);

	for (int level = f->first; level < 3 && !(m->flags & S2_MAP_PAGES); level++) {
		*size = flat_leaf_size(f, level);
		if (!((at | pa) & (*size - 1)) && left >= *size && *size <= m->max_leaf)
			return level;
	}
	*size = ((at | (block - 1)) + 1) - at;
	if (*size > m->to - at)
		*size = m->to - at;
	return 3;
}

bool flat_dirty(const struct flat_run *r)
{
	return !r->busy && r->level != FLAT_NOTHING && r->attr & S2_DBM && r->attr & S2_W;
}

bool flat_counted(const struct flat *f, s2_attr_t attr)
{
	return f->counted >> (attr >> 8 & 15) & 1;
}

/* A counted leaf is not changed in place, nor is one made so. */
static bool same_memory(const struct flat *f, const struct flat_run *r,
			const struct flat_map *m)
{
	return !r->busy && !flat_counted(f, r->attr) && !flat_counted(f, m->attr) &&
	       r->pa - r->ipa == m->pa - m->ipa &&
	       !((r->attr ^ m->attr) & (S2_MEM_MASK | S2_SH_MASK));
}

/* What the attributes of a leaf become in place: a dirty one stays so if it can. */
static s2_attr_t attr_in_place(const struct flat_run *r, const struct flat_map *m)
{
	return m->attr | (m->attr & S2_DBM && flat_dirty(r) ? S2_W : 0);
}

/* Whether a leaf stays where leaves of @level are wanted; else it is in the way. */
static bool stays(const struct flat *f, const struct flat_run *r,
		  const struct flat_map *m, int level)
{
	if (m->note || !same_memory(f, r, m))
		return false;
	if (!(m->flags & S2_MAP_REPLACE) || r->level == level)
		return true;
	return r->level < level && !(m->flags & (S2_MAP_PAGES | S2_DROP_EDGES)) &&
	       r->attr == attr_in_place(r, m);
}

/* Apart from each other with FEAT_XNX only. */
static bool exec_allowed(const struct flat *f, s2_attr_t attr)
{
	return !(attr & S2_XU) == !(attr & S2_XP) || f->features & S2_FEAT_XNX;
}

static bool attr_allowed(const struct flat *f, s2_attr_t attr)
{
	if (attr & S2_DBM && !(f->features & S2_FEAT_DBM))
		return false;
	if ((attr & S2_MEM_MASK) == S2_MEM_S1 && !(f->features & S2_FEAT_FWB))
		return false;
	if (attr & S2_SH_MASK && f->lpa2)
		return false;
	return exec_allowed(f, attr) && !(attr & S2_X && attr & S2_MEM_DEV_nGnRnE);
}

/*
 * What is mapped in [lo, hi), where leaves of @level are wanted, against the flags. Where
 * a leaf that reaches outside of the range has to be cut is noted in edge[].
 */
static int check_group(const struct flat *f, const struct flat_map *m, uint64_t lo,
		       uint64_t hi, int level, uint64_t edge[2])
{
	bool replace = m->flags & S2_MAP_REPLACE;
	const struct flat_run *r;

	for (uint64_t at = lo, end; at < hi && (r = flat_at(f, at)) && r->ipa < hi;
	     at = end) {
		uint64_t size = flat_leaf_size(f, r->level), last = m->ipa + m->size;
		bool keep = stays(f, r, m, level);

		at = r->ipa > at ? r->ipa : at;
		end = r->end < hi ? r->end : hi;
		if (r->busy && !replace)
			return S2_E_BUSY;
		if (!r->busy && (replace ? keep && m->flags & S2_MAP_NEW :
					   !keep || m->flags & S2_MAP_NEW))
			return S2_E_EXIST;
		if (r->busy || (keep && (replace || r->attr == attr_in_place(r, m))))
			continue;
		/* One that a step has ended in may change as a whole once more. */
		if (at == m->from && at & (size - 1) &&
		    (!keep || (at & ~(size - 1)) < m->ipa))
			edge[0] = at;
		if (((end - 1) | (size - 1)) + 1 > last)
			edge[1] = last;
		if ((edge[0] || edge[1]) &&
		    !(m->flags & (S2_SPLIT_EDGES | S2_DROP_EDGES)))
			return S2_E_BLOCK;
	}
	return 0;
}

/* Every leaf of [lo, hi), also beyond it, gets the new attributes. */
static void edit_in_place(struct flat *f, const struct flat_map *m, uint64_t lo,
			  uint64_t hi)
{
	flat_extent(f, &lo, &hi);
	for (const struct flat_run *r; lo < hi && (r = flat_at(f, lo)) && r->ipa < hi;) {
		struct flat_run p = flat_cut(r, lo, hi);

		lo = p.end;
		p.attr = attr_in_place(r, m);
		p.young = true;
		flat_put(f, &p);
	}
}

/*
 * New leaves for [lo, hi), and what is there changes in place. An entry at @level is a
 * table if anything smaller is in it: then the holes in it get smaller leaves.
 */
static void fill(struct flat *f, const struct flat_map *m, uint64_t lo, uint64_t hi,
		 int level)
{
	uint64_t size = flat_leaf_size(f, level);

	for (uint64_t at = lo, end; at < hi; at = end) {
		const struct flat_run *r = flat_at(f, at);
		struct flat_run new = { .ipa = at,
					.pa = m->pa + (at - m->ipa),
					.attr = m->attr,
					.level = (int8_t)level,
					.young = true };
		bool there = r && r->ipa <= at;

		/* Entries that hold nothing, or leaves, up to one that is a table. */
		end = (at | (size - 1)) + 1;
		if (there && r->level <= level) {
			end = r->end < hi ? r->end : hi;
			edit_in_place(f, m, at, end);
		} else if (r && r->ipa < end) {
			fill(f, m, at, end < hi ? end : hi, level + 1);
		} else {
			end = r ? r->ipa & ~(size - 1) : hi;
			end = end < hi ? end : hi;
			new.end = end;
			flat_put(f, &new);
		}
	}
}

static void drop_others(struct flat *f, const struct flat_map *m, uint64_t lo,
			uint64_t hi, int level)
{
	const struct flat_run *r;

	while (lo < hi && (r = flat_at(f, lo)) && r->ipa < hi) {
		struct flat_run p = flat_cut(r, lo, hi);

		lo = p.end;
		if (stays(f, r, m, level))
			continue;
		flat_extent(f, &p.ipa, &p.end);
		flat_drop(f, p.ipa, p.end);
	}
}

static int check_all(const struct flat *f, const struct flat_map *m, uint64_t edge[2])
{
	uint64_t len;

	for (uint64_t i = m->from; i < m->to; i += len) {
		int level = wanted(f, m, i, &len);
		uint64_t end = i + len < m->to ? i + len : m->to;
		int err = check_group(f, m, i, end, level, edge);

		if (err)
			return err;
	}
	return 0;
}

int flat_map_step(struct flat *f, const struct flat_map *m)
{
	uint64_t len, edge[2] = { 0 };
	int err;

	if (!attr_allowed(f, m->attr) || (m->attr & S2_DBM && m->flags & S2_MAP_CONT))
		return S2_E_ATTR;
	err = check_all(f, m, edge);
	if (!err && m->flags & S2_SPLIT_EDGES && (edge[0] || edge[1])) {
		for (int i = 0; i < 2; i++)
			split_at(f, edge[i]);
		/* A part of a block may be what is not to change (S2_MAP_NEW). */
		err = check_all(f, m, edge);
	}
	if (err)
		return err;
	for (uint64_t i = m->from; i < m->to; i += len) {
		int level = wanted(f, m, i, &len);

		if (m->flags & S2_MAP_REPLACE)
			drop_others(f, m, i, i + len, level);
		if (!m->note)
			fill(f, m, i, i + len < m->to ? i + len : m->to, level);
	}
	return 0;
}

int flat_map(struct flat *f, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags)
{
	const struct flat_map m = { .ipa = ipa,
				    .pa = pa,
				    .size = size,
				    .from = ipa,
				    .to = ipa + size,
				    .max_leaf = UINT64_MAX,
				    .attr = attr,
				    .flags = flags };

	return flat_map_step(f, &m);
}

int flat_unmap_step(struct flat *f, uint64_t from, uint64_t to, uint64_t end,
		    uint32_t flags)
{
	int err = from < end ? edges(f, from, end, flags) : 0;

	if (err || from == to)
		return err;
	flat_extent(f, &from, &to);
	flat_drop(f, from, to);
	return 0;
}

int flat_unmap(struct flat *f, uint64_t ipa, uint64_t size, uint32_t flags)
{
	return flat_unmap_step(f, ipa, ipa + size, ipa + size, flags);
}

bool flat_weak(const struct flat *f, s2_attr_t attr)
{
	s2_attr_t mem = attr & S2_MEM_MASK;

	return mem == S2_MEM_NC || mem == S2_MEM_S1 ||
	       (mem == S2_MEM_WB && !(f->features & S2_FEAT_FWB));
}

uint64_t flat_to_clean(const struct flat *f, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0;

	for (unsigned i = find(f, lo); i < f->n && f->run[i].ipa < hi; i++) {
		struct flat_run p = flat_cut(&f->run[i], lo, hi);

		if (!p.busy && flat_weak(f, p.attr))
			n += p.end - p.ipa;
	}
	return n;
}

/* Every leaf that intersects the range: clear and set permissions, the access flag. */
static bool edit(struct flat *f, uint64_t lo, uint64_t hi, s2_attr_t clear, s2_attr_t set,
		 int young)
{
	bool seen = false;

	flat_extent(f, &lo, &hi);
	for (uint64_t at = lo; at < hi;) {
		const struct flat_run *r = flat_at(f, at);
		struct flat_run p;

		if (!r || r->ipa >= hi)
			break;
		p = flat_cut(r, lo, hi);
		at = p.end;
		if (p.busy)
			continue;
		seen |= p.young;
		p.attr = (p.attr & ~clear) | set;
		if (young >= 0)
			p.young = young;
		flat_put(f, &p);
	}
	return seen;
}

void flat_wrprotect(struct flat *f, uint64_t ipa, uint64_t size)
{
	edit(f, ipa, ipa + size, S2_W | S2_DBM, 0, -1);
}

bool flat_age(struct flat *f, uint64_t ipa, uint64_t size, bool clear)
{
	return edit(f, ipa, ipa + size, 0, 0, clear ? false : -1);
}

void flat_tidy(struct flat *f, uint64_t ipa, uint64_t size, uint64_t from, uint64_t to)
{
	uint64_t lo = ipa, hi = ipa + size;

	flat_extent(f, &lo, &hi);
	for (uint64_t at = lo; at < hi;) {
		const struct flat_run *r = flat_at(f, at);
		uint64_t leaf, first, last;
		struct flat_run p;

		if (!r || r->ipa >= hi)
			break;
		p = flat_cut(r, lo, hi);
		at = p.end;
		if (!flat_dirty(&p))
			continue;
		leaf = flat_leaf_size(f, p.level) - 1;
		first = (from + leaf) & ~leaf;
		last = to & ~leaf;
		/* A log inside one leaf holds none. */
		if (first < last && first < p.end && p.ipa < last) {
			p = flat_cut(&p, first, last);
			p.attr &= ~S2_W;
			flat_put(f, &p);
		}
	}
}

static int one_leaf(const struct flat *f, uint64_t ipa)
{
	const struct flat_run *r = flat_at(f, ipa);

	if (!r || r->ipa > ipa)
		return S2_E_NOENT;
	return r->busy ? S2_E_BUSY : 0;
}

int flat_mkyoung(struct flat *f, uint64_t ipa, uint64_t lo, uint64_t hi)
{
	int err = one_leaf(f, ipa);

	if (!err)
		edit(f, lo, hi, 0, 0, true);
	return err;
}

int flat_relax(struct flat *f, uint64_t ipa, uint64_t lo, uint64_t hi, s2_attr_t perms)
{
	int err = perms && exec_allowed(f, perms) ? one_leaf(f, ipa) : S2_E_ATTR;

	if (err)
		return err;
	if (perms & S2_X && flat_at(f, ipa)->attr & S2_MEM_DEV_nGnRnE)
		return S2_E_ATTR;
	edit(f, lo, hi, 0, perms, true);
	return 0;
}

void flat_split(struct flat *f, uint64_t ipa, uint64_t size)
{
	for (uint64_t at = ipa; at < ipa + size;) {
		const struct flat_run *r = flat_at(f, at);
		uint64_t leaf, hi;
		struct flat_run p;

		if (!r || r->ipa >= ipa + size)
			break;
		at = r->ipa > at ? r->ipa : at;
		hi = r->end < ipa + size ? r->end : ipa + size;
		if (r->busy || r->level == 3) {
			at = hi;
			continue;
		}
		/* A level down, and once more if that is not pages yet. */
		leaf = flat_leaf_size(f, r->level);
		p = flat_cut(r, at & ~(leaf - 1), ((hi - 1) | (leaf - 1)) + 1);
		p.level++;
		p.young = true;
		flat_put(f, &p);
	}
}

/* Whether [at, at + size) is all leaves of one level that could be one block. */
static bool is_block(const struct flat *f, uint64_t at, uint64_t size, int level,
		     struct flat_run *block)
{
	const struct flat_run *first = flat_at(f, at);

	for (uint64_t to = at; to < at + size;) {
		const struct flat_run *r = flat_at(f, to);
		s2_attr_t differ = r && r->attr & S2_DBM ? S2_W : 0;

		if (!r || r->ipa > to || r->busy || r->level != level ||
		    flat_counted(f, r->attr) || (r->attr ^ first->attr) & ~differ ||
		    r->pa - r->ipa != first->pa - first->ipa)
			return false;
		block->young |= r->young;
		block->attr |= r->attr;
		to = r->end;
	}
	return !((first->pa - first->ipa + at) & (size - 1));
}

void flat_collapse(struct flat *f, uint64_t ipa, uint64_t size, bool seen)
{
	for (int level = 2; level >= f->first; level--) {
		uint64_t block = flat_leaf_size(f, level), at = ipa;
		const struct flat_run *r;

		while ((r = flat_at(f, at)) && r->ipa < ipa + size) {
			struct flat_run p;

			/* The first block that this run could be all or part of. */
			if (r->ipa > at)
				at = r->ipa;
			at = (at + block - 1) & ~(block - 1);
			if (at >= r->end && at > r->ipa)
				continue;
			if (at + block > ipa + size)
				break;
			p = flat_cut(r, at, at + block);
			p.young |= seen;
			p.attr |= seen && p.attr & S2_DBM ? S2_W : 0;
			if (r->level != level + 1 ||
			    !is_block(f, at, block, level + 1, &p)) {
				at = r->end < at + block || r->level == level + 1 ?
					     at + block :
					     r->end;
				continue;
			}
			p.end = at + block;
			p.level = (int8_t)level;
			flat_put(f, &p);
			at += block;
		}
	}
}

/* ---- against the engine -------------------------------------------------------- */

/* What the engine has in [lo, hi), as it says itself. */
static bool read_engine(struct flat *now, const struct s2 *s2, uint64_t lo, uint64_t hi)
{
	struct s2_mapping m;
	struct s2_iter it;

	now->n = 0;
	if (s2_iter_start(&it, s2, s2_ipa(lo), hi - lo))
		return false;
	while (s2_iter_next(&it, &m)) {
		bool busy = m.state == S2_BUSY;
		struct flat_run r = { .ipa = m.ipa.ipa,
				      .end = m.ipa.ipa + m.size,
				      .pa = busy ? 0 : m.pa.pa,
				      .attr = busy ? 0 : m.attr,
				      .level = busy ? 0 : m.level,
				      .young = !busy && m.young,
				      .busy = busy ? FLAT_PARKED : FLAT_LIVE };

		if (m.state == S2_NOTE)
			continue;
		r = flat_cut(&r, lo, hi);
		append(now, &r);
	}
	return true;
}

void flat_read_marks(struct flat *now, const struct s2 *s2, uint64_t lo, uint64_t hi,
		     unsigned (*mark)(uint64_t d, int level))
{
	uint64_t *table[S2_LEVELS];
	int level = s2->start_level;

	now->n = 0;
	now->shift = s2->granule_shift;
	table[level] = s2->root;
	for (uint64_t at = lo; at < hi;) {
		uint64_t i = at >> level_shift(s2, level), d;
		struct flat_run r = { .level = LAST_LEVEL };

		if (level > s2->start_level)
			i &= table_entries(s2) - 1;
		d = table[level][i];
		if (desc_valid_table(d, level)) {
			table[++level] = s2_port_table_va(s2->port, desc_oa(s2, d));
			continue;
		}
		r.ipa = at;
		at = (at & ~(level_size(s2, level) - 1)) + level_size(s2, level);
		r.end = at < hi ? at : hi;
		r.pa = r.ipa;
		r.attr = mark(d, level);
		if (r.attr)
			append(now, &r);
		/* Most entries of a table are empty, or say nothing. */
		for (uint64_t n = level > s2->start_level ? table_entries(s2) : 0;
		     !r.attr && ++i < n && at < hi &&
		     !desc_valid_table(table[level][i], level) &&
		     !mark(table[level][i], level);)
			at += level_size(s2, level);
		while (level > s2->start_level && !(at & (level_size(s2, level - 1) - 1)))
			level--;
	}
}

/* How many of @n entries continue the first: its leaves, or as busy or empty as it. */
static unsigned alike(const uint64_t *e, unsigned n, uint64_t size)
{
	unsigned i = 1;

	if (desc_valid(*e))
		while (i < n && e[i] == e[0] + i * size)
			i++;
	else
		while (i < n && !desc_valid(e[i]) && desc_busy(e[i]) == desc_busy(*e))
			i++;
	return i;
}

/*
 * The same from the tables' memory. White box, but no event of the machine and no call
 * for each entry: what is compared after every step must cost little.
 */
static void read_tables(struct flat *now, const struct s2 *s2, uint64_t lo, uint64_t hi)
{
	uint64_t *table[S2_LEVELS];
	int level = s2->start_level;

	now->n = 0;
	table[level] = s2->root;
	for (uint64_t at = lo; at < hi;) {
		unsigned shift = level_shift(s2, level), n;
		uint64_t size = level_size(s2, level), i = at >> shift;
		unsigned entries = table_entries(s2);
		struct flat_run r;
		uint64_t d;

		if (level == s2->start_level)
			entries *= s2->root_pages;
		else
			i &= entries - 1;
		d = table[level][i];
		if (desc_valid_table(d, level)) {
			table[++level] = s2_port_table_va(s2->port, desc_oa(s2, d));
			continue;
		}
		n = alike(&table[level][i], entries - (unsigned)i, size);
		at &= ~(size - 1);
		r = (struct flat_run){ .ipa = at, .end = at + n * size };
		r.busy = desc_busy(d) ? FLAT_PARKED : FLAT_LIVE;
		r.level = (int8_t)level;
		if (desc_valid(d)) {
			r.pa = desc_oa(s2, d);
			r.attr = desc_attr(s2, d);
			r.young = d & DESC_AF;
		}
		at = r.end;
		r = flat_cut(&r, lo, hi);
		if (r.busy || desc_valid(d))
			append(now, &r);
		while (level > s2->start_level && !(at & (level_size(s2, level - 1) - 1)))
			level--;
	}
}

bool flat_equal(const struct flat_run *old, const struct flat_run *now)
{
	if (old->busy || now->busy)
		return !old->busy == !now->busy;
	if (old->level != now->level || old->level == FLAT_NOTHING)
		return old->level == now->level;
	return old->pa == now->pa && old->attr == now->attr && old->young == now->young;
}

bool flat_part(const struct flat_run *old, const struct flat_run *now)
{
	return !old->busy && !now->busy && old->level != FLAT_NOTHING &&
	       now->level > old->level && now->pa == old->pa && now->attr == old->attr &&
	       now->young;
}

static void describe(char *buf, size_t size, const struct flat_run *r)
{
	if (r->busy)
		snprintf(buf, size, "busy");
	else if (r->level == FLAT_NOTHING)
		snprintf(buf, size, "nothing");
	else
		snprintf(buf, size, "L%d 0x%" PRIx64 " attr 0x%x af %d", r->level, r->pa,
			 r->attr, r->young);
}

/* The piece of @f from @at on, not beyond @hi. */
static struct flat_run piece(const struct flat *f, unsigned *i, uint64_t at, uint64_t hi)
{
	struct flat_run r = { .ipa = at, .end = hi, .level = FLAT_NOTHING };

	while (*i < f->n && f->run[*i].end <= at)
		++*i;
	if (*i == f->n || f->run[*i].ipa >= hi)
		return r;
	if (f->run[*i].ipa > at) {
		r.end = f->run[*i].ipa;
		return r;
	}
	return flat_cut(&f->run[*i], at, hi);
}

/* What is there now, with what is known of it from before if it has been broken. */
static struct flat_run known(const struct flat_run *old, const struct flat_run *now,
			     enum flat_busy busy)
{
	struct flat_run r = *now;

	if (!now->busy)
		return r;
	if (old->level != FLAT_NOTHING)
		r = *old;
	else
		r.pa = 0;
	r.busy = (uint8_t)(old->busy ? old->busy : busy);
	return r;
}

/* Compare [lo, hi) with @now. What is accepted is put into @then, if that is not NULL. */
static const char *compare(const struct flat *f, const struct flat *now, uint64_t lo,
			   uint64_t hi, flat_judge *ok, void *arg, struct flat *then,
			   enum flat_busy busy)
{
	static char text[256];
	unsigned i = find(f, lo), j = 0;

	for (uint64_t at = lo; at < hi;) {
		struct flat_run old = piece(f, &i, at, hi), new = piece(now, &j, at, hi);
		char was[80], is[80];

		old = flat_cut(&old, at, new.end);
		new = flat_cut(&new, at, old.end);
		at = old.end;
		if (then && (new.busy || new.level != FLAT_NOTHING)) {
			struct flat_run r = known(&old, &new, busy);

			append(then, &r);
		}
		if (flat_equal(&old, &new) || (ok && ok(&old, &new, arg)))
			continue;
		describe(was, sizeof(was), &old);
		describe(is, sizeof(is), &new);
		snprintf(text, sizeof(text),
			 "0x%" PRIx64 "-0x%" PRIx64
			 ": the engine has %s, the reference %s",
			 old.ipa, old.end, is, was);
		return text;
	}
	return NULL;
}

const char *flat_check(struct flat *f, const struct s2 *s2, uint64_t lo, uint64_t hi,
		       flat_judge *ok, void *arg, enum flat_busy adopt)
{
	static struct flat now, then;
	const char *what;

	then.n = 0;
	read_tables(&now, s2, lo, hi);
	what = compare(f, &now, lo, hi, ok, arg, adopt ? &then : NULL, adopt);
	if (!what && adopt)
		replace(f, lo, hi, then.run, then.n);
	return what;
}

const char *flat_iterate(const struct flat *f, const struct s2 *s2, uint64_t lo,
			 uint64_t hi)
{
	static struct flat now;

	if (!read_engine(&now, s2, lo, hi))
		return "s2_iter_start fails";
	return compare(f, &now, lo, hi, NULL, NULL, NULL, FLAT_LIVE);
}

const char *flat_compare(const struct flat *f, const struct s2 *s2)
{
	return flat_iterate(f, s2, 0, UINT64_C(1) << s2->ipa_bits);
}
