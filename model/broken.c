/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries that are broken: every translation that was reachable through them becomes
 * stale.
 */
#include "tree.h"

/* A TLB does not hold an entry with AF = 0, but hardware may have set AF. */
bool may_be_cached(const struct machine *m, const struct tree *t, const struct desc *d)
{
	return d->af || (m->features & S2M_HAFDBS && t->shape.ha);
}

uint16_t leaf_flags(const struct machine *m, const struct tree *t, const struct desc *d)
{
	return (uint16_t)((desc_writes(m, t, d) ? F_WRITE : 0) |
			  (d->write ? F_DIRTY : 0) | (d->normal ? F_NORMAL : 0) |
			  (d->weak ? F_WEAK : 0) |
			  (m->features & S2M_AGENT &&
					   (d->af ||
					    (agent_has(m, S2M_HAFDBS) && t->shape.ha)) ?
				   F_AGENT :
				   0));
}

void leaf_broken(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d)
{
	frames_mapped(m, d->pa, d->size, -1);
	counted_broken(m, t, ipa, d);
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

/* The stale table entry by which PEs that run c may still reach p; NULL: none. */
static struct rec *stale_in(const struct machine *m, struct ctx *c, const struct page *p)
{
	struct rec *r;

	for (int bound = LEVELS; bound && !p->live; bound--) {
		r = p->refs ? table_first(c, p->level - 1, p->ipa) : NULL;
		for (; r && r->level == p->level - 1 && r->ipa == p->ipa;
		     r = table_next(r)) {
			if (r->pa == page_pa(m, p))
				return r;
		}
		if (!p->parent)
			break;
		p = &m->page[p->parent - 1];
	}
	return NULL;
}

void stale_flush(struct stale *s)
{
	struct ctx *c;

	if (!s->any)
		return;
	s->any = false;
	LIST_FOREACH(c, &s->t->ctxs, of_tree) {
		struct rec r = s->run;

		if (s->limbo && !stale_in(s->m, c, s->limbo))
			continue;
		r.state = (uint8_t)s->state;
		if (!c->holders || (!s->cached && !held_in(c, r.ipa, r.end)))
			r.state = ST_RETIRED;
		if (r.state == ST_RETIRED) {
			/* PEs that held it could write until they let go. */
			if (!c->holders)
				frames_guest_wrote(s->m, &r, c->quiet);
			r.flags &= (uint16_t)~F_AGENT;
			/* Only the first context remembers what has to be cleaned. */
			if (!(r.flags & F_NORMAL) || r.flags & F_OLD ||
			    c != LIST_FIRST(&s->t->ctxs))
				continue;
			r.retired = r.flags & F_WEAK ? s->retired : 0;
		}
		leaf_add(s->m, c, &r);
	}
}

void stale_leaf(struct stale *s, uint64_t ipa, int level, const struct desc *d)
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
	s->run = (struct rec){ .kind = K_LEAF,
			       .ipa = ipa,
			       .end = ipa + d->size,
			       .pa = d->pa,
			       .level = (uint8_t)level,
			       .flags = flags,
			       .type = d->type,
			       .first = s->m->step,
			       .last = s->m->step,
			       .writer = (uint8_t)s->pe,
			       .why = R_NONE };
}

void stale_table(struct stale *s, uint64_t ipa, int level, uint64_t pa)
{
	uint16_t agent = s->m->features & S2M_AGENT ? F_AGENT : 0;
	const struct rec r = { .kind = K_TABLE,
			       .ipa = ipa,
			       .end = ipa + span(s->m, level),
			       .pa = pa,
			       .level = (uint8_t)level,
			       .state = (uint8_t)s->state,
			       .flags = s->flags | agent,
			       .first = s->m->step,
			       .last = s->m->step,
			       .writer = (uint8_t)s->pe,
			       .why = R_NONE };
	struct ctx *c;

	if (s->state == ST_RETIRED)
		return;
	LIST_FOREACH(c, &s->t->ctxs, of_tree) {
		if (c->holders && (!s->limbo || stale_in(s->m, c, s->limbo)))
			table_add(s->m, c, &r);
	}
}

void stale_below(struct stale *s, struct page *top)
{
	struct walk w = { .entries = entries(s->m) };
	struct page *p;
	unsigned slot;

	walk_push(&w, top);
	s->flags |= F_BELOW;
	while ((p = walk_next(&w, &slot))) {
		const struct desc d =
			desc_read(page_mem(s->m, p)[slot], p->level, mode(s->m, s->t));
		struct page *child;

		if (!slot) {
			if (p->live && !p->nvalid)
				w.at[w.depth - 1].slot = w.entries;
			p->live = false;
			p->unreach = s->m->step;
		}
		if (d.kind == DESC_LEAF) {
			if (s->mapped)
				leaf_broken(s->m, s->t, slot_ipa(s->m, p, slot), &d);
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
 * Entry slot, which was d, is broken. If it had the Contiguous bit a TLB may hold the
 * whole run by it, also the addresses of entries that are invalid now. (Entries that
 * were broken and not yet invalidated have their own records.)
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
		if (i == slot ||
		    desc_valid(page_mem(s->m, p)[i], p->level, mode(s->m, s->t)))
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

void entry_broken(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		  const struct desc *d)
{
	struct stale s = { .m = m,
			   .t = p->tree,
			   .pe = pe,
			   .state = ST_WRITTEN,
			   .retired = m->step,
			   .mapped = true };
	struct page *child;

	p->nvalid--;
	if (d->kind == DESC_LEAF) {
		leaf_broken(m, p->tree, slot_ipa(m, p, slot), d);
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
	struct rec *r = NULL;
	struct ctx *c;

	if (!p->tree || p->live)
		return NULL;
	LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
		r = stale_in(m, c, p);
		if (r)
			break;
	}
	return r;
}
