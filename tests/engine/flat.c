/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE (UINT64_C(1) << f->shift)

static uint64_t leaf_size(const struct flat *f, int level)
{
	return PAGE << (f->shift - 3) * (unsigned)(3 - level);
}

static struct flat_page *at(const struct flat *f, uint64_t ipa)
{
	return &f->page[(ipa - f->base) / PAGE];
}

void flat_init(struct flat *f, const struct s2 *s2, uint64_t base, uint64_t size)
{
	*f = (struct flat){ .base = base, .shift = s2->granule_shift };
	/* Blocks begin a level higher where addresses have 52 bits. */
	f->first = (f->shift == 12 ? 1 : 2) - (s2->wide != S2_WIDE_NO);
	if (f->first < s2->start_level)
		f->first = s2->start_level;
	f->pages = size / PAGE;
	f->page = calloc(f->pages, sizeof(*f->page));
	if (!f->page)
		abort();
}

void flat_free(struct flat *f)
{
	free(f->page);
}

/* Whether a leaf begins before the address and goes on behind it. */
static bool straddles(const struct flat *f, uint64_t ipa)
{
	if (ipa <= f->base || ipa >= f->base + f->pages * PAGE || !at(f, ipa)->level)
		return false;
	return ipa % leaf_size(f, at(f, ipa)->level) != 0;
}

static void split_at(struct flat *f, uint64_t ipa)
{
	while (straddles(f, ipa)) {
		int level = at(f, ipa)->level;
		uint64_t start = ipa - ipa % leaf_size(f, level);

		for (uint64_t p = start; p < start + leaf_size(f, level); p += PAGE) {
			at(f, p)->level = (int8_t)(level + 1);
			at(f, p)->young = true;
		}
	}
}

static void drop_leaf(struct flat *f, uint64_t ipa)
{
	int level = at(f, ipa)->level;
	uint64_t start;

	if (!level)
		return;
	start = ipa - ipa % leaf_size(f, level);
	for (uint64_t p = start; p < start + leaf_size(f, level); p += PAGE)
		*at(f, p) = (struct flat_page){ 0 };
}

static int edges(struct flat *f, uint64_t ipa, uint64_t end, uint32_t flags)
{
	if (flags & S2_DROP_EDGES)
		return 0;
	if (!straddles(f, ipa) && !straddles(f, end))
		return 0;
	if (!(flags & S2_SPLIT_EDGES))
		return S2_E_BLOCK;
	split_at(f, ipa);
	split_at(f, end);
	return 0;
}

static int wanted_level(const struct flat *f, uint64_t ipa, uint64_t pa, uint64_t left,
			uint32_t flags)
{
	for (int level = f->first; level < 3 && !(flags & S2_MAP_PAGES); level++)
		if (!(ipa % leaf_size(f, level)) && !(pa % leaf_size(f, level)) &&
		    left >= leaf_size(f, level))
			return level;
	return 3;
}

static bool same_leaf(const struct flat_page *p, uint64_t pa, s2_attr_t attr, int level)
{
	return p->level == level && p->pa == pa &&
	       !((p->attr ^ attr) & (S2_MEM_MASK | S2_SH_MASK));
}

int flat_map(struct flat *f, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags)
{
	uint64_t end = ipa + size, step;
	s2_attr_t keep;

	if (flags & S2_MAP_REPLACE) {
		int err = edges(f, ipa, end, flags);

		if (err)
			return err;
	} else {
		for (uint64_t i = ipa; i < end; i += step) {
			int level = wanted_level(f, i, pa + (i - ipa), end - i, flags);

			step = leaf_size(f, level);
			if (same_leaf(at(f, i), pa + (i - ipa), attr, level))
				continue;
			for (uint64_t p = i; p < i + step; p += PAGE)
				if (at(f, p)->level)
					return S2_E_EXIST;
		}
	}
	for (uint64_t i = ipa; i < end; i += step) {
		int level = wanted_level(f, i, pa + (i - ipa), end - i, flags);

		step = leaf_size(f, level);
		keep = 0;
		for (uint64_t p = i; p < i + step; p += PAGE)
			if (!same_leaf(at(f, i), pa + (i - ipa), attr, level))
				drop_leaf(f, p);
			else if (at(f, i)->attr & attr & S2_DBM)
				keep = at(f, i)->attr & S2_W;
		for (uint64_t p = i; p < i + step; p += PAGE)
			*at(f, p) = (struct flat_page){ pa + (p - ipa), attr | keep,
							(int8_t)level, true, 0 };
	}
	return 0;
}

int flat_unmap(struct flat *f, uint64_t ipa, uint64_t size, uint32_t flags)
{
	int err = edges(f, ipa, ipa + size, flags);

	for (uint64_t p = ipa; !err && p < ipa + size; p += PAGE)
		drop_leaf(f, p);
	return err;
}

/* Every page of every leaf that intersects the range. */
#define FOR_LEAVES(f, p, ipa, size, what)                                    \
	for (uint64_t i_ = (ipa); i_ < (ipa) + (size); i_ += PAGE) {         \
		struct flat_page *p = at(f, i_);                             \
		if (!p->level)                                               \
			continue;                                            \
		uint64_t len_ = leaf_size(f, p->level), s_ = i_ - i_ % len_; \
		for (uint64_t j_ = s_; j_ < s_ + len_; j_ += PAGE) {         \
			p = at(f, j_);                                       \
			what;                                                \
		}                                                            \
		i_ = s_ + len_ - PAGE;                                       \
	}

void flat_wrprotect(struct flat *f, uint64_t ipa, uint64_t size)
{
	FOR_LEAVES(f, p, ipa, size, p->attr &= ~(S2_W | S2_DBM))
}

bool flat_age(struct flat *f, uint64_t ipa, uint64_t size, bool clear)
{
	bool young = false;

	FOR_LEAVES(f, p, ipa, size, young |= p->young; p->young &= !clear)
	return young;
}

int flat_mkyoung(struct flat *f, uint64_t ipa, uint64_t size)
{
	if (!at(f, ipa)->level)
		return S2_E_NOENT;
	FOR_LEAVES(f, p, ipa, size, p->young = true)
	return 0;
}

int flat_relax(struct flat *f, uint64_t ipa, uint64_t size, s2_attr_t perms)
{
	if (!at(f, ipa)->level)
		return S2_E_NOENT;
	if (perms & S2_X && at(f, ipa)->attr & S2_MEM_DEV_nGnRnE)
		return S2_E_ATTR;
	FOR_LEAVES(f, p, ipa, size, p->young = true; p->attr |= perms)
	return 0;
}

int flat_annotate(struct flat *f, uint64_t ipa, uint64_t size, uint64_t note)
{
	for (uint64_t p = ipa; note && p < ipa + size; p += PAGE)
		if (at(f, p)->level)
			return S2_E_EXIST;
	for (uint64_t p = ipa; p < ipa + size; p += PAGE)
		at(f, p)->note = at(f, p)->level ? 0 : note;
	return 0;
}

bool flat_noted(const struct flat *f, uint64_t ipa, uint64_t size)
{
	for (uint64_t p = ipa; p < ipa + size; p += PAGE)
		if (at(f, p)->note)
			return true;
	return false;
}

void flat_dirty(struct flat *f, uint64_t ipa, uint64_t size, bool clear, uint64_t *bits)
{
	FOR_LEAVES(
		f, p, ipa, size, if ((p->attr & (S2_DBM | S2_W)) == (S2_DBM | S2_W)) {
			uint64_t n = (j_ - f->base) / PAGE;

			bits[n / 64] |= UINT64_C(1) << n % 64;
			if (clear)
				p->attr &= ~S2_W;
		})
}

void flat_split(struct flat *f, uint64_t ipa, uint64_t size)
{
	for (uint64_t p = ipa; p < ipa + size; p += PAGE)
		while (at(f, p)->level && at(f, p)->level < 3)
			split_at(f, p % leaf_size(f, at(f, p)->level) ? p : p + PAGE);
}

const char *flat_compare(const struct flat *f, const struct s2 *s2)
{
	static char text[256];
	uint64_t next = f->base, end = f->base + f->pages * PAGE;
	struct s2_mapping m;
	struct s2_iter it;

	if (s2_iter_start(&it, s2, s2_ipa(0), UINT64_C(1) << s2->ipa_bits))
		return "s2_iter_start failed";
	for (;;) {
		bool more = s2_iter_next(&it, &m);
		uint64_t to = more ? m.ipa.ipa : end;

		if (more && ((m.state != S2_LEAF && m.state != S2_NOTE) || to < f->base ||
			     to >= end)) {
			snprintf(text, sizeof(text), "unexpected entry at 0x%" PRIx64,
				 to);
			return text;
		}
		for (; next < to; next += PAGE)
			if (at(f, next)->level || at(f, next)->note) {
				snprintf(text, sizeof(text),
					 "0x%" PRIx64 " is not mapped, or annotated",
					 next);
				return text;
			}
		if (!more)
			return NULL;
		for (; next < to + m.size; next += PAGE) {
			const struct flat_page *p = at(f, next);

			if (m.state == S2_NOTE && !p->level && p->note == m.note)
				continue;
			if (p->level != m.level || p->pa != m.pa.pa + (next - to) ||
			    p->attr != m.attr || p->young != m.young) {
				snprintf(text, sizeof(text),
					 "0x%" PRIx64 ": L%d 0x%" PRIx64
					 " attr 0x%x af %d, "
					 "should be L%d 0x%" PRIx64 " attr 0x%x af %d",
					 next, m.level, m.pa.pa + (next - to), m.attr,
					 m.young, p->level, p->pa, p->attr, p->young);
				return text;
			}
		}
	}
}
