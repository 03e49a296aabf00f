/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What walkers can reach: entries made, broken and changed, tables linked and
 * detached. Every stale translation begins here.
 */
#include <stdlib.h>

#include "internal.h"

#define NS(x) ((unsigned long long)(x))

/* Depth-first through tables, without recursion. */
struct walk {
	struct { struct page *p; unsigned slot; } at[LEVELS];
	int depth;
	unsigned entries;	/* of a table */
};

static void walk_push(struct walk *w, struct page *p)
{
	w->at[w->depth].p = p;
	w->at[w->depth++].slot = 0;
}

/* The next entry, its page and number; NULL at the end. */
static struct page *walk_next(struct walk *w, unsigned *slot)
{
	while (w->depth && w->at[w->depth - 1].slot == w->entries)
		w->depth--;
	if (!w->depth)
		return NULL;
	*slot = w->at[w->depth - 1].slot++;
	return w->at[w->depth - 1].p;
}

static uint64_t slot_ipa(const struct machine *m, const struct page *p, unsigned slot)
{
	return p->ipa + slot * span(m, p->level);
}

bool hw_may_write(const struct machine *m, const struct tree *t, const struct desc *d)
{
	return m->features & S2M_HAFDBS && d->kind == DESC_LEAF &&
	       ((t->shape.ha && !d->af) || (t->shape.hd && d->dbm && !d->write));
}

/* An entry with AF = 0 is not cached; hardware may have set it. */
static bool may_be_cached(const struct machine *m, const struct tree *t,
			  const struct desc *d)
{
	return d->af || (m->features & S2M_HAFDBS && t->shape.ha);
}

/* ---- what becomes stale -------------------------------------------------- */

struct stale {
	struct machine *m;
	struct tree *t;
	unsigned pe;
	enum state state;
	uint16_t flags;
	uint64_t retired;	/* cleans count from this step if nobody can hold it */
	struct rec run;
	bool any, cached;
	bool mapped;		/* was live until now */
};

static uint16_t leaf_flags(const struct machine *m, const struct tree *t,
			   const struct desc *d)
{
	return (uint16_t)((desc_writes(m, t, d) ? F_WRITE : 0) |
			  (d->write ? F_DIRTY : 0) | (d->normal ? F_NORMAL : 0) |
			  (d->weak ? F_WEAK : 0) |
			  (m->features & S2M_AGENT ? F_AGENT : 0));
}

static bool held_in(struct ctx *c, uint64_t ipa, uint64_t end)
{
	struct rec *r;

	for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
		if (rec_held(r))
			return true;
	}
	return false;
}

static void stale_flush(struct stale *s)
{
	struct ctx *c;

	if (!s->any)
		return;
	s->any = false;
	LIST_FOREACH(c, &s->t->ctxs, of_tree) {
		struct rec r = s->run;

		r.state = (uint8_t)s->state;
		if (!c->holders || (!s->cached && !held_in(c, r.ipa, r.end)))
			r.state = ST_RETIRED;
		if (r.state == ST_RETIRED) {
			/* Whoever held it wrote until then. */
			if (!c->holders)
				frames_guest_wrote(s->m, &r, c->quiet);
			r.flags &= (uint16_t)~F_AGENT;
			/* Once is enough to remember what is to be cleaned. */
			if (!(r.flags & F_NORMAL) || r.flags & F_OLD ||
			    c != LIST_FIRST(&s->t->ctxs))
				continue;
			r.retired = r.flags & F_WEAK ? s->retired : 0;
		}
		leaf_add(s->m, c, &r);
	}
}

static void stale_leaf(struct stale *s, uint64_t ipa, int level, const struct desc *d)
{
	uint16_t flags = leaf_flags(s->m, s->t, d) | s->flags;
	bool cached = may_be_cached(s->m, s->t, d);

	if (s->any && s->cached && cached && s->run.end == ipa &&
	    s->run.pa + (ipa - s->run.ipa) == d->pa && s->run.level == level &&
	    s->run.flags == flags && s->run.type == d->type) {
		s->run.end += d->size;
		return;
	}
	stale_flush(s);
	s->any = true;
	s->cached = cached;
	s->run = (struct rec){ .kind = K_LEAF, .ipa = ipa, .end = ipa + d->size,
			       .pa = d->pa, .level = (uint8_t)level, .flags = flags,
			       .type = d->type, .first = s->m->step, .last = s->m->step,
			       .writer = (uint8_t)s->pe, .why = R_NONE };
}

static void stale_table(struct stale *s, uint64_t ipa, int level, uint64_t pa)
{
	uint16_t agent = s->m->features & S2M_AGENT ? F_AGENT : 0;
	const struct rec r = { .kind = K_TABLE, .ipa = ipa,
			       .end = ipa + span(s->m, level),
			       .pa = pa, .level = (uint8_t)level,
			       .state = (uint8_t)s->state, .flags = s->flags | agent,
			       .first = s->m->step, .last = s->m->step,
			       .writer = (uint8_t)s->pe, .why = R_NONE };
	struct ctx *c;

	if (s->state == ST_RETIRED)
		return;
	LIST_FOREACH(c, &s->t->ctxs, of_tree) {
		if (c->holders)
			table_add(s->m, c, &r);
	}
}

/* Everything in and below table p, which no live entry points to any more. */
static void stale_below(struct stale *s, struct page *top)
{
	struct walk w = { .entries = entries(s->m) };
	struct page *p;
	unsigned slot;

	walk_push(&w, top);
	s->flags |= F_BELOW;
	while ((p = walk_next(&w, &slot))) {
		const struct desc d = desc_read(page_mem(s->m, p)[slot], p->level,
						mode(s->m, s->t));
		struct page *child;

		if (!slot) {
			if (p->live && !p->nvalid)
				w.at[w.depth - 1].slot = w.entries;
			p->live = false;
			p->unreach = s->m->step;
		}
		if (d.kind == DESC_LEAF) {
			if (s->mapped)
				frames_mapped(s->m, d.pa, d.size, -1);
			if (s->state != ST_RETIRED && hw_may_mark(s->m, s->t, &d))
				dirty_in_limbo(s->m, s->t, slot_ipa(s->m, p, slot), &d);
			stale_leaf(s, slot_ipa(s->m, p, slot), p->level, &d);
		} else if (d.kind == DESC_TABLE) {
			child = page_child(s->m, p, slot, d.pa);
			if (!child)
				continue;
			stale_table(s, slot_ipa(s->m, p, slot), p->level, d.pa);
			walk_push(&w, child);
		}
	}
	stale_flush(s);
}

/*
 * d, of slot, goes, and was of a Contiguous run: a PE may have had all of the run by
 * it, also where there is no member now. (A member that has been broken and not yet
 * invalidated is known to be stale.)
 */
static void stale_run(struct stale *s, struct page *p, unsigned slot,
		      const struct desc *d)
{
	unsigned run = desc_run(s->m->granule, p->level), first = slot & ~(run - 1);
	uint64_t size = run * span(s->m, p->level);
	struct ctx *c = LIST_FIRST(&s->t->ctxs);

	if (!c || !d->contiguous || (d->pa ^ slot_ipa(s->m, p, slot)) & (size - 1))
		return;
	for (unsigned i = first; i < first + run; i++) {
		uint64_t ipa = slot_ipa(s->m, p, i);
		const struct rec *r = leaf_first(c, ipa);
		struct desc member = *d;

		member.pa = d->pa + ipa - slot_ipa(s->m, p, slot);
		if (i == slot || desc_valid(page_mem(s->m, p)[i], p->level,
					    mode(s->m, s->t)))
			continue;
		s->flags = F_OLD;
		if (r && r->ipa <= ipa) {
			if (r->state == ST_WRITTEN || r->pa - r->ipa != member.pa - ipa)
				continue;
			s->flags = r->flags & F_OLD;
		}
		stale_leaf(s, ipa, p->level, &member);
	}
	stale_flush(s);
}

static void entry_broken(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			 const struct desc *d)
{
	struct stale s = { .m = m, .t = p->tree, .pe = pe, .state = ST_WRITTEN,
			   .retired = m->step, .mapped = true };
	struct page *child;

	p->nvalid--;
	if (d->kind == DESC_LEAF) {
		frames_mapped(m, d->pa, d->size, -1);
		stale_leaf(&s, slot_ipa(m, p, slot), p->level, d);
		stale_flush(&s);
		stale_run(&s, p, slot, d);
		run_changed(m, pe, p, slot);
		return;
	}
	child = page_child(m, p, slot, d->pa);
	if (!child)
		return;
	child->parent = 0;
	stale_table(&s, slot_ipa(m, p, slot), p->level, d->pa);
	stale_below(&s, child);
}

void page_dies(struct machine *m, struct page *p)
{
	struct stale s = { .m = m, .t = p->tree, .state = ST_RETIRED, .mapped = true };

	if (!LIST_EMPTY(&p->tree->ctxs))
		s.retired = LIST_FIRST(&p->tree->ctxs)->quiet;
	stale_below(&s, p);
}

struct rec *page_stale(const struct machine *m, const struct page *p)
{
	struct ctx *c;
	struct rec *r;

	for (int bound = LEVELS; bound && p->tree && !p->live; bound--) {
		if (p->refs) {
			LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
				r = table_first(c, p->level - 1, p->ipa);
				for (; r && r->level == p->level - 1 && r->ipa == p->ipa;
				     r = table_next(r)) {
					if (r->pa == page_pa(m, p))
						return r;
				}
			}
		}
		if (!p->parent)
			break;
		p = &m->page[p->parent - 1];
	}
	return NULL;
}

/* ---- what becomes reachable ---------------------------------------------- */

static bool same_leaf(const struct rec *r, uint64_t ipa, int level, const struct desc *d)
{
	return r->levels == 1u << level && r->type == d->type &&
	       r->pa - r->ipa == d->pa - ipa;
}

/* The level of FEAT_BBM that may be relied on. */
static unsigned bbm(const struct machine *m)
{
	if (!(m->features & S2M_CONFLICTS))
		return 0;
	return m->features & S2M_BBM2 ? 2 : m->features & S2M_BBM1 ? 1 : 0;
}

/* By FEAT_BBM r and the leaf d, of another size, may be held together. */
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

/* A leaf (d), or a table (d NULL), was made at the entry. */
static void check_early(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
			int level, const struct desc *d)
{
	uint64_t end = ipa + span(m, level);
	struct rec *r, *next;
	struct ctx *c;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (!c->held)
			continue;
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
			if (r->state >= ST_ISB && !(r->flags & F_AGENT))
				continue;
			/* The leaves of a table that is linked come here one by one. */
			if (d ? !same_leaf(r, ipa, level, d) &&
				!may_overlap(m, r, ipa, level, d) :
			    r->level <= level && bbm(m) < 2 &&
				!(bbm(m) && r->type & TYPE_NT))
				too_early(m, pe, ipa, end, r);
		}
		for (int l = t->shape.start_level; l < 3; l++) {
			for (r = table_first(c, l, ipa);
			     r && r->level == l && r->ipa < end; r = next) {
				struct page *q = page_at(m, r->pa);

				next = table_next(r);
				if (q && q->live && q->tree == t && q->level == l + 1 &&
				    q->ipa == r->ipa)
					rec_drop(m, r);	/* the same is live again */
				else if (d && bbm(m) && (bbm(m) == 2 || d->nt))
					continue;
				else if (r->state < ST_ISB || r->flags & F_AGENT)
					too_early(m, pe, ipa, end, r);
			}
		}
	}
}

/* What was here before a leaf was made, and is over or the same. */
static void forget_older(struct machine *m, unsigned pe, struct ctx *c, uint64_t ipa,
			 int level, const struct desc *d)
{
	uint64_t end = ipa + d->size;
	struct rec *r, *next;

	for (r = leaf_first(c, ipa); r && r->ipa < end; r = next) {
		r = leaf_cut(m, r, ipa, end);
		next = leaf_next(r);
		if (r->state < ST_ISB) {
			if (!same_leaf(r, ipa, level, d))
				continue;
			if (r->flags & ~leaf_flags(m, c->tree, d) & (F_WRITE | F_DIRTY))
				r->flags |= F_OLD;
			else
				rec_drop(m, r);
			continue;
		}
		/* The owner wants no clean of what is replaced either. */
		if (m->pe[pe].waive && !(r->flags & F_AGENT)) {
			frames_vouched(m, r->pa, r->end - r->ipa);
			rec_drop(m, r);
			continue;
		}
		/* The same memory, whose clean is asked for where d is made. */
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

/* An entry for ipa points to memory that ends at end. */
static void check_ps(struct machine *m, const struct tree *t, unsigned pe, uint64_t ipa,
		     uint64_t end)
{
	if (end <= UINT64_C(1) << t->shape.pa_bits)
		return;
	verdict(m, R_PA_BEYOND_PS, (struct where){ .pe = pe, .ipa = ipa, .pa = end - 1 },
		"PE%u makes the entry for %#llx with an output address up to %#llx, but "
		"VTCR_EL2.PS is %u bits: a walk faults", pe, NS(ipa), NS(end - 1),
		t->shape.pa_bits);
}

static void leaf_made(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
		      int level, const struct desc *d)
{
	struct ctx *c;

	check_early(m, t, pe, ipa, level, d);
	check_ps(m, t, pe, ipa, d->pa + d->size);
	dirty_forget(m, t, ipa, ipa + d->size, d);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (!RB_EMPTY(&c->leaves))
			forget_older(m, pe, c, ipa, level, d);
	}
	frames_check_map(m, pe, ipa, d, true);
	frames_mapped(m, d->pa, d->size, 1);
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
			(struct where){ .pe = pe, .cause = p->stored, .ipa = p->ipa,
					.pa = page_pa(m, p) },
			"PE%u links table %#llx while stores to it by PE%u, the last at step "
			"%llu, are not ordered before: a walker may read what was there "
			"before them", pe, NS(page_pa(m, p)), q, NS(p->stored));
	}
	p->stores = 0;
}

/* The table at pa gets its place under entry slot of p; NULL if it cannot have it. */
static struct page *link_child(struct machine *m, unsigned pe, struct page *p,
			       unsigned slot, uint64_t pa)
{
	struct page *child = page_at(m, pa);
	uint64_t ipa = slot_ipa(m, p, slot);
	const struct where w = { .pe = pe, .ipa = ipa, .pa = pa,
				 .cause = child ? child->given : 0 };
	struct rec *r;

	if (!child || !child->taken) {
		verdict(m, R_TABLE_USE_AFTER_FREE, w,
			"PE%u makes a table entry for %#llx that points to %#llx, which is no "
			"table page in use", pe, NS(ipa), NS(pa));
		return NULL;
	}
	/* Through the very entry that it was detached from it may come back. */
	if (page_child(m, p, slot, pa))
		child->parent = 0;
	r = page_stale(m, child);
	if (child->live || child->root ||
	    (r && (r->pa != pa || r->ipa != ipa || r->level != p->level))) {
		verdict(m, R_TABLE_LINKED_TWICE, w,
			"PE%u links table %#llx for %#llx, but it is already the table for "
			"%#llx", pe, NS(pa), NS(ipa), NS(child->ipa));
		return NULL;
	}
	check_ps(m, p->tree, pe, ipa, pa + granule(m));
	child->parent = (uint32_t)(p - m->page) + 1;
	child->slot = (uint16_t)slot;
	child->level = (int8_t)(p->level + 1);
	child->ipa = ipa;
	return child;
}

/* Table top, and what is in it and below, is live from now on. */
static void table_made(struct machine *m, struct tree *t, unsigned pe, struct page *top,
		       enum how how, bool check)
{
	struct walk w = { .entries = entries(m) };
	struct page *p;
	unsigned slot;

	walk_push(&w, top);
	while ((p = walk_next(&w, &slot))) {
		const struct desc d = desc_read(page_mem(m, p)[slot], p->level,
						mode(m, t));
		struct page *child;

		if (!slot) {
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

static void entry_made(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		       const struct desc *d, enum how how)
{
	struct page *child;

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

/* ---- changes ------------------------------------------------------------- */

/* Same address, size and type: allowed in place. */
static void leaf_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			 const struct desc *od, const struct desc *nd)
{
	struct stale s = { .m = m, .t = p->tree, .pe = pe, .state = ST_WRITTEN,
			   .flags = F_OLD };
	bool lost;

	run_changed(m, pe, p, slot);
	if ((nd->exec1 && !od->exec1) || (nd->exec0 && !od->exec0))
		frames_check_map(m, pe, slot_ipa(m, p, slot), nd, false);
	/*
	 * Less than before: the older version may go on being used. More is
	 * harmless: it faults, and the new one is found.
	 */
	lost = od->type != nd->type || (leaf_flags(m, p->tree, od) &
		~leaf_flags(m, p->tree, nd) & (F_WRITE | F_DIRTY));
	if (!may_be_cached(m, p->tree, od) || (!lost && may_be_cached(m, p->tree, nd)))
		return;
	stale_leaf(&s, slot_ipa(m, p, slot), p->level, od);
	stale_flush(&s);
}

/* All of the block d at ipa is mapped alike by a table, or as far as it is at all. */
static bool same_output(const struct machine *m, const struct tree *t, uint64_t table,
			int level, uint64_t ipa, const struct desc *d, bool holes)
{
	for (uint64_t at = ipa; at < ipa + d->size;) {
		const struct page *p = page_at(m, table);
		struct desc o = { .kind = DESC_TABLE };
		int l = level;

		for (; p && o.kind == DESC_TABLE && l <= 3; l++) {
			unsigned slot = (unsigned)(at / span(m, l)) % entries(m);

			o = desc_read(page_mem(m, p)[slot], l, mode(m, t));
			p = o.kind == DESC_TABLE ? page_at(m, o.pa) : NULL;
		}
		if (o.kind == DESC_INVALID ? !holes :
		    o.kind == DESC_TABLE || o.pa - at != d->pa - ipa ||
		    (o.type ^ d->type) & ~TYPE_SIZE || o.read != d->read ||
		    desc_writes(m, t, &o) != desc_writes(m, t, d) ||
		    o.exec1 != d->exec1 || o.exec0 != d->exec0)
			return false;
		at += span(m, l - 1);
	}
	return true;
}

/*
 * Block and table in place of each other: by level 2 as they are, by level 1 with nT
 * in the block. NULL if that is allowed, else why not.
 */
static const char *no_resize(const struct machine *m, const struct page *p, unsigned slot,
		       const struct desc *od, const struct desc *nd)
{
	const struct desc *leaf = od->kind == DESC_LEAF ? od : nd;
	const struct desc *table = od->kind == DESC_LEAF ? nd : od;
	uint64_t ipa = slot_ipa(m, p, slot);
	struct ctx *c;

	if (!bbm(m))
		return m->mode.nt ? ": conflict aborts are not handled" : "";
	if (bbm(m) == 1 && !leaf->nt)
		return ": FEAT_BBM level 1 wants nT in the block";
	/* The block as it was before nT may still be held. */
	LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
		const struct rec *r = leaf_first(c, ipa);

		for (; bbm(m) == 1 && leaf == od && r && r->ipa < ipa + od->size;
		     r = leaf_next((struct rec *)(uintptr_t)r)) {
			if (r->state < ST_ISB && !(r->type & TYPE_NT))
				return ": PEs may hold the block as it was before nT";
		}
	}
	if (!same_output(m, p->tree, table->pa, p->level + 1, ipa, leaf, leaf == nd))
		return ": FEAT_BBM allows another size, the rest has to stay the same";
	return NULL;
}

/* The same output by a table instead of a block, or the other way round, in place. */
static void entry_resized(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			  const struct desc *od, const struct desc *nd, enum how how)
{
	struct stale s = { .m = m, .t = p->tree, .pe = pe, .state = ST_WRITTEN,
			   .flags = F_OLD, .mapped = true };
	struct page *child;

	p->nvalid--;
	if (od->kind == DESC_LEAF) {
		frames_mapped(m, od->pa, od->size, -1);
		stale_leaf(&s, slot_ipa(m, p, slot), p->level, od);
		stale_flush(&s);
	} else {
		child = page_child(m, p, slot, od->pa);
		if (child) {
			child->parent = 0;
			stale_table(&s, slot_ipa(m, p, slot), p->level, od->pa);
			stale_below(&s, child);
		}
	}
	entry_made(m, pe, p, slot, nd, how);
}

/* A table page that is reachable through a stale table entry only. */
static void entry_in_limbo(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			   const struct desc *d)
{
	struct stale s = { .m = m, .t = p->tree, .pe = pe, .state = ST_VISIBLE,
			   .flags = F_BELOW };
	struct page *child;

	if (d->kind == DESC_LEAF) {
		if (hw_may_mark(m, p->tree, d))
			dirty_in_limbo(m, p->tree, slot_ipa(m, p, slot), d);
		stale_leaf(&s, slot_ipa(m, p, slot), p->level, d);
		stale_flush(&s);
		return;
	}
	child = link_child(m, pe, p, slot, d->pa);
	if (!child)
		return;
	child->tree = p->tree;
	stale_table(&s, slot_ipa(m, p, slot), p->level, d->pa);
	stale_below(&s, child);
}

void page_stored(struct machine *m, unsigned pe, struct page *p)
{
	/* Another PE's stores that were handed over come before this one. */
	for (unsigned q = 0; p->stores & ~(1u << pe) && q < m->pes; q++)
		if (q != pe && m->pe[q].ordered >= p->stored &&
		    knows(m, pe, q, p->stored))
			p->stores &= (uint16_t)~(1u << q);
	p->stored = m->step;
	p->stores |= (uint16_t)(1u << pe);
}

/* Before or after the entry is valid. */
static void valid_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			  uint64_t old, uint64_t new, enum how how)
{
	const struct desc od = desc_read(old, p->level, mode(m, p->tree));
	const struct desc nd = desc_read(new, p->level, mode(m, p->tree));
	const char *why = "";

	if (!p->live) {
		struct rec *stale = page_stale(m, p);
		struct page *child = od.kind == DESC_TABLE ?
				     page_child(m, p, slot, od.pa) : NULL;

		if (child)
			child->parent = 0;
		if (stale && nd.kind != DESC_INVALID)
			entry_in_limbo(m, pe, p, slot, &nd);
		return;
	}
	if (how != HOW_ATOMIC && hw_may_write(m, p->tree, &od))
		verdict(m, R_HW_UPDATE_LOST,
			(struct where){ .pe = pe, .ipa = slot_ipa(m, p, slot),
					.pa = od.pa },
			"PE%u replaces the entry for %#llx by a plain store; hardware may "
			"have set its access flag or dirty state since it was read", pe,
			NS(slot_ipa(m, p, slot)));
	if (od.kind == DESC_INVALID) {
		entry_made(m, pe, p, slot, &nd, how);
		return;
	}
	if (nd.kind == DESC_INVALID) {
		entry_broken(m, pe, p, slot, &od);
		return;
	}
	if (od.kind != nd.kind) {
		why = no_resize(m, p, slot, &od, &nd);
		if (!why) {
			entry_resized(m, pe, p, slot, &od, &nd, how);
			return;
		}
	}
	if (od.kind == nd.kind && od.pa == nd.pa &&
	    (od.kind == DESC_TABLE || od.type == nd.type ||
	     (bbm(m) && !((od.type ^ nd.type) & ~TYPE_SIZE)))) {
		if (od.kind == DESC_LEAF)
			leaf_changed(m, pe, p, slot, &od, &nd);
		return;
	}
	verdict(m, R_BBM_VALID_TO_VALID,
		(struct where){ .pe = pe, .ipa = slot_ipa(m, p, slot), .pa = nd.pa },
		"PE%u changes the level-%d entry for %#llx from %s %#llx to %s %#llx%s without "
		"making it invalid in between%s", pe, p->level, NS(slot_ipa(m, p, slot)),
		od.kind == DESC_TABLE ? "table" : "leaf", NS(od.pa),
		nd.kind == DESC_TABLE ? "table" : "leaf", NS(nd.pa),
		od.kind != nd.kind || od.pa != nd.pa ? "" :
		(od.type ^ nd.type) & ~TYPE_SIZE ? " of another memory type" :
		od.contiguous != nd.contiguous ? " with another Contiguous bit" :
		" with another nT", why);
	entry_broken(m, pe, p, slot, &od);
	m->reported[R_BBM_MADE_TOO_EARLY] = m->step;	/* said already */
	entry_made(m, pe, p, slot, &nd, how);
	run_told(m, p, slot);
}

void entry_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		   uint64_t old, uint64_t new, enum how how)
{
	const struct desc_mode *dm = mode(m, p->tree);

	if (!p->live)
		page_stored(m, pe, p);
	if (p->level < 0 || old == new ||
	    (!desc_valid(old, p->level, dm) && !desc_valid(new, p->level, dm)))
		return;
	valid_changed(m, pe, p, slot, old, new, how);
}
