/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Trees, the VMIDs that they have or had, and the PEs that run them.
 */
#include <stdlib.h>

#include "internal.h"

static struct tree *tree_new(struct machine *m, unsigned pe, uint64_t root,
			     const struct desc_tree *shape)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->root = root;
	t->shape = *shape;
	t->mode = m->mode;
	desc_layout(&t->mode, shape->granule, shape->ds, shape->lpa);
	LIST_INIT(&t->ctxs);
	LIST_INSERT_HEAD(&m->trees, t, all);
	for (unsigned i = 0; i < shape->roots; i++) {
		struct page *p = page_at(m, root + i * granule(m));

		p->root = true;
		p->tree = t;
		p->level = (int8_t)shape->start_level;
		p->ipa = (uint64_t)i << desc_shift(m->granule, shape->start_level - 1);
	}
	for (unsigned i = 0; i < shape->roots; i++)
		tree_scan(m, t, pe, page_at(m, root + i * granule(m)));
	return t;
}

static uint16_t everyone(const struct machine *m)
{
	return (uint16_t)((1u << m->pes) - 1);
}

static void nobody(struct machine *m, struct ctx *c)
{
	c->running = 0;
	if (ctx_held(m, c) && !c->all_rec)
		c->all_rec = all_add(m, c);
}

/* c comes into use: no PE may hold translations of another tree with its VMID. */
static void check_vmid(struct machine *m, unsigned pe, const struct ctx *c)
{
	const struct where w = { .pe = pe, .pa = c->tree->root };
	struct ctx *o;

	LIST_FOREACH(o, &m->ctxs, all) {
		if (o->vmid != c->vmid || o->tree == c->tree || o == m->unmet ||
		    !ctx_held(m, o))
			continue;
		if (o->tree == &m->before)
			verdict(m, R_VMID_REUSED, w,
				"PE%u may run the tree at %#llx under VMID %u, which was never "
				"invalidated as a whole: PEs may hold what an earlier user left "
				"under it, or a reset",
				pe, NS(c->tree->root), c->vmid);
		else
			verdict(m, R_VMID_REUSED, w,
				"PE%u may run the tree at %#llx under VMID %u, while PEs may "
				"hold translations of the tree at %#llx under it: the VMID was "
				"not invalidated as a whole since the last PE left that",
				pe, NS(c->tree->root), c->vmid, NS(o->tree->root));
	}
}

static struct ctx *ctx_alloc(struct machine *m, struct tree *t, uint16_t vmid)
{
	struct ctx *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->tree = t;
	c->vmid = vmid;
	RB_INIT(&c->leaves);
	RB_INIT(&c->tables);
	for (int i = 0; i < STATES; i++)
		TAILQ_INIT(&c->list[i]);
	TAILQ_INIT(&c->orphans);
	c->quiet = m->step;
	return c;
}

/* The context with what PEs held under the VMID before the first step; NULL: none. */
static struct ctx *before(const struct machine *m, uint16_t vmid)
{
	struct ctx *c;

	LIST_FOREACH(c, &m->before.ctxs, of_tree) {
		if (c->vmid == vmid)
			break;
	}
	return c;
}

/*
 * The VMID is met for the first time. What PEs may hold under it is as for all VMIDs not
 * met yet: an ALLE1IS may be under way.
 */
static void vmid_met(struct machine *m, uint16_t vmid)
{
	struct ctx *rest = m->unmet, *c;

	if (!rest || !rest->holders || before(m, vmid))
		return;
	c = ctx_alloc(m, &m->before, vmid);
	c->holders = rest->holders;
	c->all_rec = all_copy(m, c, rest->all_rec);
	LIST_INSERT_HEAD(&m->ctxs, c, all);
	LIST_INSERT_HEAD(&m->before.ctxs, c, of_tree);
}

void vmids_init(struct machine *m)
{
	struct ctx *c;

	LIST_INIT(&m->before.ctxs);
	if (!(m->features & S2M_COLD_TLBS))
		return;
	/* A tree that nobody can look into any more. */
	m->before.shape = (struct desc_tree){ .granule = m->granule, .ipa_bits = 48 };
	m->before.dead = true;
	m->unmet = c = ctx_alloc(m, &m->before, 0);
	c->holders = everyone(m);
	c->all_rec = all_add(m, c);
	LIST_INSERT_HEAD(&m->ctxs, c, all);
}

void vmids_free(struct machine *m)
{
	struct ctx *c;

	while ((c = LIST_FIRST(&m->before.ctxs))) {
		LIST_REMOVE(c, of_tree);
		free(c);
	}
	free(m->unmet);
}

static struct ctx *ctx_new(struct machine *m, unsigned pe, struct tree *t, uint16_t vmid)
{
	struct ctx *c = ctx_alloc(m, t, vmid), *old;
	struct rec *r;

	if (!t->named) {
		/* The tree has a new VMID: no PE runs it with the old one any more. */
		LIST_FOREACH(old, &t->ctxs, of_tree)
			nobody(m, old);
		c->running = c->holders = everyone(m);
		check_vmid(m, pe, c);
	}
	/* A walk with the new VMID may still read entries whose break is not visible. */
	LIST_FOREACH(old, &t->ctxs, of_tree) {
		TAILQ_FOREACH(r, &old->list[ST_WRITTEN], list) {
			if (r->kind == K_LEAF)
				leaf_add(m, c, r);
			else if (r->kind == K_TABLE)
				table_add(m, c, r);
		}
	}
	LIST_INSERT_HEAD(&m->ctxs, c, all);
	LIST_INSERT_HEAD(&t->ctxs, c, of_tree);
	return c;
}

/* A root is in no other tree, and no PE may take it for a table of one. */
static bool may_be_root(struct machine *m, unsigned pe, uint64_t root,
			const struct desc_tree *shape)
{
	for (unsigned i = 0; i < shape->roots; i++) {
		const struct page *p = page_at(m, root + i * granule(m));

		if (!p->live && !page_stale(m, p))
			continue;
		verdict(m, R_TABLE_LINKED_TWICE,
			(struct where){ .pe = pe, .ipa = p->ipa, .pa = page_pa(m, p) },
			"PE%u points VTTBR_EL2 to %#llx, but it is already the table for %#llx "
			"of the tree at %#llx",
			pe, NS(page_pa(m, p)), NS(p->ipa), NS(p->tree->root));
		return false;
	}
	return true;
}

struct ctx *tree_know(struct machine *m, unsigned pe, uint64_t vttbr)
{
	uint16_t vmid = (uint16_t)(vttbr >> 48);
	struct desc_tree shape;
	struct tree *t;
	struct ctx *c;
	uint64_t root;

	vmid_met(m, vmid);
	if (!desc_vtcr(pe_vtcr(m, pe), m->granule, m->features & S2M_LPA2, &shape))
		return NULL;
	root = desc_root(vttbr, &shape);
	for (unsigned i = 0; i < shape.roots; i++) {
		struct page *q = page_at(m, root + i * granule(m));

		if (!q || !q->taken)
			return NULL;
	}
	t = tree_find(m, root);
	if (!t || t->dead) {
		if (!may_be_root(m, pe, root, &shape))
			return NULL;
		t = tree_new(m, pe, root, &shape);
	}
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (c->vmid == vmid)
			return c;
	}
	return ctx_new(m, pe, t, vmid);
}

void ctx_run(struct machine *m, struct ctx *c, unsigned pe, bool running)
{
	struct tree *t = c->tree;
	struct ctx *o;

	if (!t->named) {
		/* From now on the program tells which PEs run it. */
		t->named = true;
		LIST_FOREACH(o, &t->ctxs, of_tree) {
			o->running = 0;
			if (!o->held)
				o->holders = 0;
		}
	}
	if (!running) {
		c->running &= (uint16_t) ~(1u << pe);
		if (!c->running)
			nobody(m, c);
		return;
	}
	if (!c->running)
		check_vmid(m, pe, c);
	c->running |= (uint16_t)(1u << pe);
	c->holders |= c->running;
	if (c->all_rec)
		rec_drop(m, c->all_rec);
}

void tree_gone(struct machine *m, struct tree *t)
{
	struct ctx *c;

	t->named = true;
	LIST_FOREACH(c, &t->ctxs, of_tree)
		nobody(m, c);
}

/* The root was given back. Records of memory that has to be cleaned stay. */
void tree_forget(struct machine *m, struct tree *t)
{
	struct ctx *c;
	struct rec *r, *next;

	if (t->dead)
		return;
	t->dead = true;
	if (m->writes.tree == t)
		m->writes.seed = 0;
	dirty_forget(m, t, 0, UINT64_MAX, NULL);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = leaf_first(c, 0); r; r = next) {
			next = leaf_next(r);
			if (rec_held(r) || !clean_done(m, r))
				continue;
			frames_to_host(m, r->pa, r->end - r->ipa, m->step);
			rec_drop(m, r);
		}
		if (c->all_rec)
			rec_drop(m, c->all_rec);
		/* No record is left that a TLBI could change. */
		if (RB_EMPTY(&c->leaves) && RB_EMPTY(&c->tables) &&
		    TAILQ_EMPTY(&c->orphans))
			LIST_REMOVE(c, all);
	}
}

void s2m_tree_release(struct machine *m, unsigned pe, uint64_t root)
{
	struct tree *t = tree_find(m, root);
	struct ctx *c;

	m->step++;
	log_event(m, pe, "the tree at %#llx is at an end", (unsigned long long)root);
	if (!t || t->dead)
		return;
	tree_gone(m, t);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (c->holders)
			return;
	}
	for (unsigned i = 0; i < t->shape.roots; i++) {
		struct page *p = page_at(m, root + i * granule(m));

		if (p->live)
			page_dies(m, p);
		p->root = false;
	}
	tree_forget(m, t);
}

unsigned s2m_trees(const struct machine *m)
{
	const struct tree *t;
	unsigned n = 0;

	LIST_FOREACH(t, &m->trees, all)
		n++;
	return n;
}
