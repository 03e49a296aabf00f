/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries that are made: leaves and tables that become reachable, and the checks that
 * have to hold before.
 */
#include "tree.h"

static bool same_leaf(const struct rec *r, uint64_t ipa, int level, const struct desc *d)
{
	return r->levels == 1u << level && r->type == d->type &&
	       r->pa - r->ipa == d->pa - ipa;
}

/* FEAT_BBM lets TLBs hold r and the leaf d, which has another size, at the same time. */
static bool may_overlap(const struct machine *m, const struct rec *r, uint64_t ipa,
			int level, const struct desc *d)
{
	if (r->pa - r->ipa != d->pa - ipa || (r->type ^ d->type) & ~TYPE_SIZE)
		return false;
	return bbm(m) == 2 || (bbm(m) == 1 && ((r->type | d->type) & TYPE_NT ||
					       r->levels == 1u << level));
}

static void too_early(struct machine *m, unsigned pe, uint64_t ipa, uint64_t end,
		      struct rec *r)
{
	char text[128], why[192];

	if (r->flags & F_TOLD)
		return;
	r->flags |= F_TOLD;
	rec_why(r, why, sizeof(why));
	verdict(m, r->state < ST_ISB ? R_BBM_MADE_TOO_EARLY : R_AGENT_NOT_INVALIDATED,
		(struct where){ .pe = pe, .cause = r->first, .ipa = ipa, .pa = r->pa },
		"PE%u makes a new translation of %#llx-%#llx while PEs may hold %s: %s",
		pe, NS(ipa), NS(end), rec_text(r, text, sizeof(text)), why);
}

/*
 * A leaf (d) or a table (d is NULL) is made: no PE may hold an older leaf. The leaves of
 * a new table are checked one by one.
 */
static void check_leaves(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
			 int level, const struct desc *d)
{
	uint64_t end = ipa + span(m, level);
	struct rec *r;
	struct ctx *c;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = c->held ? leaf_first(c, ipa) : NULL; r && r->ipa < end;
		     r = leaf_next(r)) {
			if (r->state >= ST_ISB && !(r->flags & F_AGENT))
				continue;
			if (d ? !same_leaf(r, ipa, level, d) &&
					    !may_overlap(m, r, ipa, level, d) :
				r->level <= level && bbm(m) < 2 &&
					    !(bbm(m) && r->type & TYPE_NT))
				too_early(m, pe, ipa, end, r);
		}
	}
}

/* Nor another table. */
static void check_tables(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
			 int level, const struct desc *d)
{
	uint64_t end = ipa + span(m, level);
	struct rec *r, *next;
	struct ctx *c;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (int l = t->shape.start_level; c->held && l < 3; l++) {
			for (r = table_first(c, l, ipa);
			     r && r->level == l && r->ipa < end; r = next) {
				struct page *q = page_at(m, r->pa);

				next = table_next(r);
				if (q && q->live && q->tree == t && q->level == l + 1 &&
				    q->ipa == r->ipa)
					rec_drop(m, r); /* the same table is live again */
				else if (d && bbm(m) && (bbm(m) == 2 || d->nt))
					continue;
				else if (r->state < ST_ISB || r->flags & F_AGENT)
					too_early(m, pe, ipa, end, r);
			}
		}
	}
}

static void check_early(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
			int level, const struct desc *d)
{
	check_leaves(m, t, pe, ipa, level, d);
	check_tables(m, t, pe, ipa, level, d);
}

/* Drops older records of c that are complete or say the same as the leaf d. */
static void forget(struct machine *m, unsigned pe, struct ctx *c, uint64_t ipa, int level,
		   const struct desc *d)
{
	uint64_t end = ipa + d->size;
	struct rec *r, *next;

	for (r = leaf_first(c, ipa); r && r->ipa < end; r = next) {
		r = leaf_cut(m, r, ipa, end);
		next = leaf_next(r);
		if (r->state < ST_ISB) {
			if (!same_leaf(r, ipa, level, d))
				continue;
			/* What no TLB holds says nothing of what one may hold. */
			if (r->flags & ~leaf_flags(m, c->tree, d) & (F_WRITE | F_DIRTY) ||
			    !may_be_cached(m, c->tree, d))
				r->flags |= F_OLD;
			else
				rec_drop(m, r);
			continue;
		}
		/* S2_NO_CLEAN is for the old memory and the new. */
		if (m->pe[pe].waive && !(r->flags & F_AGENT)) {
			frames_vouched(m, r->pa, r->end - r->ipa);
			rec_drop(m, r);
			continue;
		}
		/* The same memory: frames_check_map() asks for its clean. */
		if (r->pa - r->ipa == d->pa - ipa && d->normal) {
			rec_drop(m, r);
			continue;
		}
		if (r->flags & F_AGENT || !clean_done(m, r)) {
			if (r->state != ST_RETIRED)
				rec_state(m, r, ST_RETIRED);
			rec_orphan(r);
			continue;
		}
		rec_drop(m, r);
	}
}

void forget_older(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa, int level,
		  const struct desc *d)
{
	struct ctx *c;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (!RB_EMPTY(&c->leaves))
			forget(m, pe, c, ipa, level, d);
	}
}

/* Checks the output address of an entry for ipa, which ends at end, against PS. */
static void check_ps(struct machine *m, const struct tree *t, unsigned pe, uint64_t ipa,
		     uint64_t end)
{
	if (end <= UINT64_C(1) << t->shape.pa_bits)
		return;
	verdict(m, R_PA_BEYOND_PS, (struct where){ .pe = pe, .ipa = ipa, .pa = end - 1 },
		"PE%u makes the entry for %#llx with an output address up to %#llx, but "
		"VTCR_EL2.PS is %u bits: a walk faults",
		pe, NS(ipa), NS(end - 1), t->shape.pa_bits);
}

/* PEs can reach the leaf d, and could not before. */
static void leaf_reached(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
			 int level, const struct desc *d)
{
	check_ps(m, t, pe, ipa, d->pa + d->size);
	forget_older(m, t, pe, ipa, level, d);
	frames_check_map(m, pe, ipa, d, true);
}

static void leaf_made(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
		      int level, const struct desc *d)
{
	check_early(m, t, pe, ipa, level, d);
	dirty_forget(m, t, ipa, ipa + d->size, d);
	leaf_reached(m, t, pe, ipa, level, d);
	frames_mapped(m, d->pa, d->size, 1);
	counted_made(m, t, ipa, d);
}

void leaf_in_limbo(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
		   int level, const struct desc *d)
{
	check_leaves(m, t, pe, ipa, level, d);
	leaf_reached(m, t, pe, ipa, level, d);
}

static void check_filled(struct machine *m, unsigned pe, struct page *p, enum how how)
{
	for (unsigned q = 0; q < m->pes; q++) {
		if (!(p->stores & 1u << q))
			continue;
		if (q == pe ? how == HOW_RELEASE || m->pe[q].ordered >= p->stored :
			      m->pe[q].ordered >= p->stored && knows(m, pe, q, p->stored))
			continue;
		verdict(m, R_TABLE_LINKED_BEFORE_FILLED,
			(struct where){ .pe = pe,
					.cause = p->stored,
					.ipa = p->ipa,
					.pa = page_pa(m, p) },
			"PE%u links table %#llx while stores to it by PE%u, the last at step "
			"%llu, are not ordered before: a walker may read what was there "
			"before them",
			pe, NS(page_pa(m, p)), q, NS(p->stored));
	}
	p->stores = 0;
}

struct page *link_child(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			uint64_t pa)
{
	struct page *child = page_at(m, pa);
	uint64_t ipa = slot_ipa(m, p, slot);
	const struct where w = {
		.pe = pe, .ipa = ipa, .pa = pa, .cause = child ? child->given : 0
	};
	struct rec *r;

	if (!child && m->features & S2M_PARTIAL) {
		m->strange = m->strange ? m->strange : pa + 1;
		return NULL;
	}
	if (!child || !child->taken) {
		verdict(m, R_TABLE_USE_AFTER_FREE, w,
			"PE%u makes a table entry for %#llx that points to %#llx, which is no "
			"table page in use",
			pe, NS(ipa), NS(pa));
		return NULL;
	}
	/* A table may come back to the entry of the tree that it was detached from. */
	if (page_child(m, p, slot, pa))
		child->parent = 0;
	r = page_stale(m, child);
	if (child->live || child->root ||
	    (r && (r->pa != pa || r->ipa != ipa || r->level != p->level ||
		   r->ctx->tree != p->tree))) {
		verdict(m, R_TABLE_LINKED_TWICE, w,
			"PE%u links table %#llx for %#llx, but it is already the table for "
			"%#llx",
			pe, NS(pa), NS(ipa), NS(child->ipa));
		return NULL;
	}
	check_ps(m, p->tree, pe, ipa, pa + granule(m));
	child->parent = (uint32_t)(p - m->page) + 1;
	child->slot = (uint16_t)slot;
	child->level = (int8_t)(p->level + 1);
	child->ipa = ipa;
	return child;
}

/* Table p comes back to its place, so what PEs may hold of its leaves is live again. */
static void comes_back(struct machine *m, struct tree *t, unsigned pe, struct page *p)
{
	for (unsigned i = 0; p->refs && i < entries(m); i++) {
		const struct desc d = desc_read(page_mem(m, p)[i], p->level, mode(m, t));

		if (d.kind == DESC_LEAF)
			forget_older(m, t, pe, slot_ipa(m, p, i), p->level, &d);
	}
}

/* Table top, its entries and all below become live. */
static void table_made(struct machine *m, struct tree *t, unsigned pe, struct page *top,
		       enum how how, bool check)
{
	struct walk w = { .entries = entries(m) };
	struct page *p;
	unsigned slot;

	walk_push(&w, top);
	while ((p = walk_next(&w, &slot))) {
		const struct desc d =
			desc_read(page_mem(m, p)[slot], p->level, mode(m, t));
		struct page *child;

		if (!slot) {
			comes_back(m, t, pe, p);
			p->tree = t;
			p->live = true;
			p->nvalid = 0;
			if (check)
				check_filled(m, pe, p, how);
			p->stores = 0;
			if (!p->root)
				check_early(m, t, pe, p->ipa, p->level - 1, NULL);
		}
		p->nvalid += d.kind != DESC_INVALID;
		agent_reads(m, pe, p, slot, page_mem(m, p)[slot]);
		if (d.kind == DESC_LEAF) {
			leaf_made(m, t, pe, slot_ipa(m, p, slot), p->level, &d);
			run_changed(m, pe, p, slot);
		}
		if (d.kind != DESC_TABLE)
			continue;
		child = link_child(m, pe, p, slot, d.pa);
		if (child)
			walk_push(&w, child);
	}
}

void tree_scan(struct machine *m, struct tree *t, unsigned pe, struct page *root)
{
	table_made(m, t, pe, root, HOW_STORE, false);
}

void entry_made(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		const struct desc *d, enum how how)
{
	struct page *child;
	struct ctx *c;

	/* Of what is made now, PEs that held nothing of an empty tree hold nothing. */
	if (p->root && !p->nvalid) {
		LIST_FOREACH(c, &p->tree->ctxs, of_tree)
			ctx_held(m, c);
	}
	p->nvalid++;
	if (d->kind == DESC_LEAF) {
		leaf_made(m, p->tree, pe, slot_ipa(m, p, slot), p->level, d);
		run_changed(m, pe, p, slot);
		return;
	}
	child = link_child(m, pe, p, slot, d->pa);
	if (child)
		table_made(m, p->tree, pe, child, how, true);
	if (p->hints)
		run_changed(m, pe, p, slot);
}
