/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sets of stale translations. Neighbouring leaves with the same level, offset from
 * IPA to PA and state are one record.
 */
#include "internal.h"

#define SLAB 4096u

static int cmp_leaf(const struct rec *a, const struct rec *b)
{
	return a->ipa < b->ipa ? -1 : a->ipa > b->ipa;
}

static int cmp_table(const struct rec *a, const struct rec *b)
{
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->ipa != b->ipa)
		return a->ipa < b->ipa ? -1 : 1;
	return a->pa < b->pa ? -1 : a->pa > b->pa;
}

RB_PROTOTYPE(leaves, rec, rb, cmp_leaf)
RB_PROTOTYPE(tables, rec, rb, cmp_table)
RB_GENERATE(leaves, rec, rb, cmp_leaf)
RB_GENERATE(tables, rec, rb, cmp_table)

static struct rec *rec_alloc(struct machine *m)
{
	struct rec *r = m->rec_free;

	if (!r) {
		struct rec *slab = slab_new(m, SLAB * sizeof(*slab));

		for (unsigned i = 0; i < SLAB; i++)
			TAILQ_NEXT(&slab[i], list) = i + 1 < SLAB ? &slab[i + 1] : NULL;
		r = slab;
	}
	m->rec_free = TAILQ_NEXT(r, list);
	return r;
}

bool rec_held(const struct rec *r)
{
	return r->state < ST_RETIRED || r->flags & F_AGENT;
}

static struct rec *rec_new(struct machine *m, struct ctx *c, const struct rec *like)
{
	struct rec *r = rec_alloc(m);

	*r = *like;
	r->ctx = c;
	c->held += rec_held(r);
	TAILQ_INSERT_TAIL(&c->list[r->state], r, list);
	return r;
}

static void rec_free(struct machine *m, struct rec *r)
{
	struct ctx *c = r->ctx;
	struct page *p;

	c->held -= rec_held(r);
	TAILQ_REMOVE(r->orphan ? &c->orphans : &c->list[r->state], r, list);
	if (r->kind == K_LEAF && !r->orphan)
		RB_REMOVE(leaves, &c->leaves, r);
	if (r->kind == K_TABLE) {
		RB_REMOVE(tables, &c->tables, r);
		p = page_at(m, r->pa);
		if (p && p->refs)
			p->refs--;
	}
	if (c->all_rec == r)
		c->all_rec = NULL;
	TAILQ_NEXT(r, list) = m->rec_free;
	m->rec_free = r;
}

void rec_drop(struct machine *m, struct rec *r)
{
	if (r->kind == K_LEAF)
		frames_recorded(m, r, -1);
	rec_free(m, r);
}

/* ---- looking up -------------------------------------------------------------- */

struct rec *leaf_first(struct ctx *c, uint64_t ipa)
{
	struct rec *r = RB_ROOT(&c->leaves), *best = NULL;

	while (r) {
		if (r->end > ipa) {
			best = r;
			r = RB_LEFT(r, rb);
		} else {
			r = RB_RIGHT(r, rb);
		}
	}
	return best;
}

struct rec *leaf_next(struct rec *r)
{
	return RB_NEXT(leaves, NULL, r);
}

struct rec *table_first(struct ctx *c, int level, uint64_t ipa)
{
	const uint64_t size = desc_span(c->tree->shape.granule, level);
	const struct rec key = { .level = (uint8_t)level, .ipa = ipa & ~(size - 1) };

	return RB_NFIND(tables, &c->tables, (struct rec *)(uintptr_t)&key);
}

struct rec *table_next(struct rec *r)
{
	return RB_NEXT(tables, NULL, r);
}

/* ---- runs ---------------------------------------------------------------------- */

static bool joins(const struct rec *a, const struct rec *b)
{
	return a->end == b->ipa && a->pa + (a->end - a->ipa) == b->pa &&
	       a->level == b->level && a->levels == b->levels && a->state == b->state &&
	       a->flags == b->flags && a->writer == b->writer && a->actor == b->actor &&
	       a->type == b->type && a->why == b->why && a->why_pe == b->why_pe &&
	       a->retired == b->retired &&
	       a->seen ==
		       b->seen; /* the other masks are 0 in the states that are joined */
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void join(struct machine *m, struct rec *a, struct rec *b)
{
	uint64_t end = b->end;

	a->first = a->first < b->first ? a->first : b->first;
	a->last = max(a->last, b->last);
	a->acted = max(a->acted, b->acted);
	a->why_step = max(a->why_step, b->why_step);
	rec_free(m, b);
	a->end = end;
}

/* Once the clean is done, the record need not remember when it was due. */
static void met(struct machine *m, struct rec *r)
{
	if (r->state == ST_RETIRED && clean_done(m, r))
		r->retired = 0;
}

static void merge(struct machine *m, struct rec *r)
{
	struct rec *left = RB_PREV(leaves, &r->ctx->leaves, r), *right, *far;

	if (left && left->end == r->ipa && left->retired) {
		met(m, left);
		far = left->retired ? NULL : RB_PREV(leaves, &r->ctx->leaves, left);
		if (far && joins(far, left)) {
			join(m, far, left);
			left = far;
		}
	}
	if (left && joins(left, r)) {
		join(m, left, r);
		r = left;
	}
	right = RB_NEXT(leaves, &r->ctx->leaves, r);
	if (right && joins(r, right))
		join(m, r, right);
}

struct rec *leaf_cut(struct machine *m, struct rec *r, uint64_t ipa, uint64_t end)
{
	struct rec part;

	if (r->ipa < ipa) {
		part = *r;
		part.end = ipa;
		r->pa += ipa - r->ipa;
		r->ipa = ipa;
		RB_INSERT(leaves, &r->ctx->leaves, rec_new(m, r->ctx, &part));
	}
	if (r->end > end) {
		part = *r;
		part.pa += end - part.ipa;
		part.ipa = end;
		r->end = end;
		RB_INSERT(leaves, &r->ctx->leaves, rec_new(m, r->ctx, &part));
	}
	return r;
}

void leaf_add(struct machine *m, struct ctx *c, const struct rec *new)
{
	struct rec *r = leaf_first(c, new->ipa), *next, n = *new;

	n.levels = (uint8_t)(1u << n.level);
	for (; r && r->ipa < n.end; r = next) {
		r = leaf_cut(m, r, n.ipa, n.end);
		next = leaf_next(r);
		/* FEAT_BBM: TLBs may hold it at the older level too. */
		if (rec_held(r)) {
			n.flags |= r->flags & (F_WRITE | F_DIRTY | F_AGENT);
			n.levels |= r->levels;
			n.level = r->level > n.level ? r->level : n.level;
		}
		rec_drop(m, r);
	}
	r = rec_new(m, c, &n);
	RB_INSERT(leaves, &c->leaves, r);
	frames_recorded(m, r, 1);
	merge(m, r);
}

void table_add(struct machine *m, struct ctx *c, const struct rec *new)
{
	struct rec *r = RB_FIND(tables, &c->tables, (struct rec *)(uintptr_t) new);
	struct page *p = page_at(m, new->pa);

	if (r)
		rec_drop(m, r);
	r = rec_new(m, c, new);
	RB_INSERT(tables, &c->tables, r);
	if (p)
		p->refs++;
}

struct rec *all_add(struct machine *m, struct ctx *c)
{
	const struct rec r = { .kind = K_ALL,
			       .state = ST_VISIBLE,
			       .why = R_NONE,
			       .first = m->step,
			       .last = m->step,
			       .end = UINT64_C(1) << c->tree->shape.ipa_bits,
			       .flags = m->features & S2M_AGENT ? F_AGENT : 0 };

	return rec_new(m, c, &r);
}

struct rec *all_copy(struct machine *m, struct ctx *c, const struct rec *r)
{
	return rec_new(m, c, r);
}

/* No entry of the root is valid; or it was given back. */
static bool is_empty(const struct machine *m, const struct tree *t)
{
	for (unsigned i = 0; !t->dead && i < t->shape.roots; i++) {
		if (page_at(m, t->root + i * granule(m))->nvalid)
			return false;
	}
	return true;
}

/* ---- contexts ----------------------------------------------------------------- */

bool ctx_held(struct machine *m, struct ctx *c)
{
	/* What is mapped, or was and is not invalidated: nothing else may be held. */
	if (c->running || c->tree->dead || c->held > (c->all_rec != NULL) ||
	    !is_empty(m, c->tree))
		return c->holders;
	if (c->all_rec)
		rec_drop(m, c->all_rec);
	c->holders = 0;
	return false;
}

/* ---- fate ------------------------------------------------------------------------ */

void rec_state(struct machine *m, struct rec *r, enum state st)
{
	struct ctx *c = r->ctx;

	c->held -= rec_held(r);
	TAILQ_REMOVE(&c->list[r->state], r, list);
	r->state = (uint8_t)st;
	/* The reason stays until a TLBI counts. */
	if (st != ST_VISIBLE)
		r->why = R_NONE;
	r->acted = m->step;
	if (st == ST_VISIBLE || st == ST_RETIRED)
		r->seen = r->s2_by = r->s1_by = r->again_by = r->s2_sure = r->s1_sure = 0;
	TAILQ_INSERT_TAIL(&c->list[st], r, list);
	c->held += rec_held(r);
}

void rec_settle(struct machine *m, struct rec *r)
{
	struct ctx *c = r->ctx;

	if (r->state == ST_RETIRED && !(r->flags & F_AGENT)) {
		if (r->kind == K_ALL) {
			c->holders = 0;
			if (!is_empty(m, c->tree))
				c->quiet = m->step;
		}
		/* A leaf is kept until a claim or a new mapping of its range. */
		if (r->kind != K_LEAF || r->flags & F_OLD || !(r->flags & F_NORMAL)) {
			rec_drop(m, r);
			return;
		}
		if (!(r->flags & F_WEAK))
			r->retired = 0;
	}
	if (r->kind == K_LEAF && !r->orphan &&
	    (r->state == ST_VISIBLE || r->state == ST_RETIRED))
		merge(m, r);
}

void rec_orphan(struct rec *r)
{
	struct ctx *c = r->ctx;

	TAILQ_REMOVE(&c->list[r->state], r, list);
	RB_REMOVE(leaves, &c->leaves, r);
	r->orphan = true;
	TAILQ_INSERT_TAIL(&c->orphans, r, list);
}
