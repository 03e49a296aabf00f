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
	if (c->holders && !c->all_rec)
		c->all_rec = all_add(m, c);
}

/* c comes into use: no PE may hold translations of another tree with its VMID. */
static void check_vmid(struct machine *m, unsigned pe, const struct ctx *c)
{
	const struct ctx *o;

	LIST_FOREACH(o, &m->ctxs, all) {
		if (o->vmid != c->vmid || o->tree == c->tree || !o->holders)
			continue;
		verdict(m, R_VMID_REUSED, (struct where){ .pe = pe, .pa = c->tree->root },
			"PE%u may run the tree at %#llx under VMID %u, while PEs may hold "
			"translations of the tree at %#llx under it: the VMID was not "
			"invalidated as a whole since the last PE left that",
			pe, (unsigned long long)c->tree->root, c->vmid,
			(unsigned long long)o->tree->root);
	}
}

static struct ctx *ctx_new(struct machine *m, unsigned pe, struct tree *t, uint16_t vmid)
{
	struct ctx *c = calloc(1, sizeof(*c)), *old;
	struct rec *r;

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

struct ctx *tree_know(struct machine *m, unsigned pe, uint64_t vttbr)
{
	uint16_t vmid = (uint16_t)(vttbr >> 48);
	struct desc_tree shape;
	struct tree *t;
	struct ctx *c;
	uint64_t root;

	if (!desc_vtcr(pe_vtcr(m, pe), m->granule, m->features & S2M_LPA2, &shape))
		return NULL;
	root = desc_root(vttbr, &shape);
	for (unsigned i = 0; i < shape.roots; i++) {
		struct page *q = page_at(m, root + i * granule(m));

		if (!q || !q->taken)
			return NULL;
	}
	t = tree_find(m, root);
	if (!t || t->dead)
		t = tree_new(m, pe, root, &shape);
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
