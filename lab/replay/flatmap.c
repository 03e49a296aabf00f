// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "flat_frames.h"

#define PAGES 512u
#define NODE_SIZE (PAGES * FLAT_PAGE)

static int node_cmp(struct flat_node *a, struct flat_node *b)
{
	return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

RB_PROTOTYPE(flat_tree, flat_node, rb, node_cmp)
RB_GENERATE(flat_tree, flat_node, rb, node_cmp)

/* ---- nodes and leaves -------------------------------------------------------- */

uint64_t flat_leaf_size(const struct flat_leaf *leaf)
{
	return flat_level_size(leaf->level);
}

static bool is_block(const struct flat_node *n)
{
	return n->leaf[0].level && n->leaf[0].level < 3;
}

/* The node that @ipa is in, or NULL. */
static struct flat_node *node_find(struct flatmap *fm, uint64_t ipa)
{
	struct flat_node *n = fm->last;

	if (n && ipa - n->ipa < n->size)
		return n;
	n = RB_ROOT(&fm->tree);
	while (n && ipa - n->ipa >= n->size)
		n = ipa < n->ipa ? RB_LEFT(n, rb) : RB_RIGHT(n, rb);
	if (n)
		fm->last = n;
	return n;
}

/* A new node; @pages: for pages, otherwise for a block. */
static struct flat_node *node_add(struct flatmap *fm, uint64_t ipa, uint64_t size,
				  bool pages)
{
	struct flat_node *n =
		calloc(1, sizeof(*n) + (pages ? PAGES : 1) * sizeof(n->leaf[0]));

	if (!n)
		return NULL;
	n->ipa = ipa;
	n->size = size;
	RB_INSERT(flat_tree, &fm->tree, n);
	return n;
}

static void node_drop(struct flatmap *fm, struct flat_node *n)
{
	RB_REMOVE(flat_tree, &fm->tree, n);
	if (fm->last == n)
		fm->last = NULL;
	free(n);
}

/* The leaf of @ipa, which may be a page where nothing is mapped; NULL: no node. */
static struct flat_leaf *leaf_at(struct flatmap *fm, uint64_t ipa)
{
	struct flat_node *n = node_find(fm, ipa);

	if (!n)
		return NULL;
	return &n->leaf[is_block(n) ? 0 : ipa / FLAT_PAGE % PAGES];
}

const struct flat_leaf *flat_get(struct flatmap *fm, uint64_t ipa, uint64_t *start)
{
	const struct flat_leaf *leaf = leaf_at(fm, ipa);

	if (!leaf || !leaf->level)
		return NULL;
	if (start)
		*start = ipa & ~(flat_leaf_size(leaf) - 1);
	return leaf;
}

uint64_t flat_next(struct flatmap *fm, uint64_t ipa, uint64_t end)
{
	struct flat_node *n = node_find(fm, ipa), key;

	if (!n) {
		key.ipa = ipa;
		n = RB_NFIND(flat_tree, &fm->tree, &key);
	}
	for (; n && n->ipa < end; n = RB_NEXT(flat_tree, &fm->tree, n)) {
		if (ipa < n->ipa)
			ipa = n->ipa;
		if (is_block(n))
			return ipa < end ? ipa : end;
		for (; ipa < n->ipa + n->size; ipa += FLAT_PAGE)
			if (n->leaf[ipa / FLAT_PAGE % PAGES].level)
				return ipa < end ? ipa : end;
	}
	return end;
}

/* [ipa, ipa + size), extended to whole leaves. */
static struct flat_range whole_leaves(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	struct flat_range r = { ipa, ipa + size, 0, false };
	const struct flat_leaf *leaf;

	leaf = flat_get(fm, ipa, NULL);
	if (leaf)
		r.start &= ~(flat_leaf_size(leaf) - 1);
	leaf = flat_get(fm, ipa + size - FLAT_PAGE, NULL);
	if (leaf)
		r.end = ((r.end - 1) | (flat_leaf_size(leaf) - 1)) + 1;
	r.cut = r.start != ipa || r.end != ipa + size;
	return r;
}

/* A loop over the leaves of the range r; each begins at @at. */
#define for_each_leaf(fm, r, at, leaf)                   \
	for (at = flat_next(fm, (r).start, (r).end);     \
	     at < (r).end && ((leaf) = leaf_at(fm, at)); \
	     at = flat_next(fm, at + flat_leaf_size(leaf), (r).end))

/* ---- operations -------------------------------------------------------------- */

bool flat_unmap(struct flatmap *fm, uint64_t ipa, uint64_t size, struct flat_range *r)
{
	uint64_t at;
	bool ok = true;

	*r = whole_leaves(fm, ipa, size);
	for (at = flat_next(fm, r->start, r->end); at < r->end;) {
		struct flat_node *n = node_find(fm, at);
		struct flat_leaf *leaf = leaf_at(fm, at);
		uint64_t leaf_size = flat_leaf_size(leaf);

		ok &= flat_frame_put(fm->frames, leaf->level, leaf->pa);
		leaf->level = 0;
		fm->pages -= leaf_size / FLAT_PAGE;
		r->pages += leaf_size / FLAT_PAGE;
		if (!--n->used)
			node_drop(fm, n);
		at = flat_next(fm, at + leaf_size, r->end);
	}
	return ok;
}

/* Puts a leaf where nothing is mapped. Its frame is in use already. */
static bool leaf_put(struct flatmap *fm, uint64_t ipa, struct flat_leaf leaf)
{
	const bool pages = leaf.level == 3;
	const uint64_t size = pages ? NODE_SIZE : flat_leaf_size(&leaf);
	struct flat_node *n = node_find(fm, ipa);

	if (!n)
		n = node_add(fm, ipa & ~(size - 1), size, pages);
	if (!n)
		return false;
	n->leaf[pages ? ipa / FLAT_PAGE % PAGES : 0] = leaf;
	n->used++;
	fm->pages += flat_leaf_size(&leaf) / FLAT_PAGE;
	return true;
}

bool flat_map(struct flatmap *fm, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, struct flat_range *r)
{
	const struct flat_leaf leaf = {
		.pa = pa,
		.attr = (uint16_t)attr,
		.level = size == flat_level_size(1) ? 1 :
			 size == flat_level_size(2) ? 2 :
						      3,
		.young = true,
	};

	/* Counts the new use first: a frame may be mapped before and after. */
	return flat_frame_get(fm->frames, leaf.level, pa) &&
	       flat_unmap(fm, ipa, size, r) && leaf_put(fm, ipa, leaf);
}

void flat_wrprotect(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	struct flat_range r = whole_leaves(fm, ipa, size);
	struct flat_leaf *leaf;
	uint64_t at;

	for_each_leaf(fm, r, at, leaf)
	{
		leaf->wrprotected |= (leaf->attr & S2_W) != 0;
		leaf->attr &= (uint16_t)~S2_W;
	}
}

bool flat_relax(struct flatmap *fm, uint64_t ipa, s2_attr_t perms)
{
	struct flat_range r = whole_leaves(fm, ipa, FLAT_PAGE);
	struct flat_leaf *leaf;
	bool back = false;
	uint64_t at;

	for_each_leaf(fm, r, at, leaf)
	{
		back |= leaf->wrprotected && perms & S2_W;
		leaf->wrprotected &= !(perms & S2_W);
		leaf->attr |= (uint16_t)perms;
		leaf->young = true;
	}
	return back;
}

void flat_mkyoung(struct flatmap *fm, uint64_t ipa)
{
	flat_relax(fm, ipa, 0);
}

bool flat_age(struct flatmap *fm, uint64_t ipa, uint64_t size, bool clear)
{
	struct flat_range r = whole_leaves(fm, ipa, size);
	struct flat_leaf *leaf;
	bool young = false;
	uint64_t at;

	for_each_leaf(fm, r, at, leaf)
	{
		young |= leaf->young;
		leaf->young &= !clear;
	}
	return young;
}

/* Replaces the block at @ipa by leaves of the next level. */
static bool split_block(struct flatmap *fm, uint64_t ipa)
{
	const struct flat_leaf block = *leaf_at(fm, ipa);
	struct flat_leaf part = block;
	const uint64_t end = ipa + flat_leaf_size(&block);

	part.level++;
	part.young = true;
	for (; part.pa < block.pa + flat_leaf_size(&block);
	     part.pa += flat_leaf_size(&part))
		if (!flat_frame_get(fm->frames, part.level, part.pa))
			return false;
	if (!flat_frame_put(fm->frames, block.level, block.pa))
		return false;
	node_drop(fm, node_find(fm, ipa));
	fm->pages -= flat_leaf_size(&block) / FLAT_PAGE;
	part.pa = block.pa;
	for (; ipa < end; ipa += flat_leaf_size(&part), part.pa += flat_leaf_size(&part))
		if (!leaf_put(fm, ipa, part))
			return false;
	return true;
}

bool flat_split(struct flatmap *fm, uint64_t ipa, uint64_t size)
{
	const uint64_t end = ipa + size;
	uint64_t at = flat_next(fm, ipa, end), start;
	const struct flat_leaf *leaf;

	while (at < end) {
		leaf = flat_get(fm, at, &start);
		if (leaf->level == 3)
			at = flat_next(fm, (at | (NODE_SIZE - 1)) + 1, end);
		else if (!split_block(fm, start))
			return false;
	}
	return true;
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
