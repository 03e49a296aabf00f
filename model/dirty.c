/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty state that hardware writes (VTCR_EL2.HD). A PE that writes through a leaf with
 * DBM sets S2AP[1] in the entry first. It can do so as long as it can reach the entry,
 * in a detached table too. The machine remembers what was written, or may be marked as
 * written, until the program has put it in its dirty set (s2m_dirty_found()).
 */
#include "internal.h"

#define S2AP_W (UINT64_C(1) << 7)
#define AF (UINT64_C(1) << 10)

static void add(struct machine *m, struct marks *set, uint64_t ipa, uint64_t size,
		uint64_t pa)
{
	struct mark *d = mark_first(set, ipa);

	/* One entry for the range is enough for a verdict. */
	if (!d || d->ipa >= ipa + size)
		mark_add(m, set, ipa, ipa + size, pa, m->step);
}

bool hw_may_mark(const struct machine *m, const struct tree *t, const struct desc *d)
{
	return d->kind == DESC_LEAF && !d->write && desc_writes(m, t, d) &&
	       (d->af || t->shape.ha);
}

static bool anyone(const struct tree *t)
{
	struct ctx *c;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (c->holders)
			return true;
	}
	return false;
}

void dirty_in_limbo(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d)
{
	if (anyone(t))
		add(m, &t->limbo, ipa, d->size, d->pa);
}

/* The stale translation of ipa that a PE or the other agent may hold; or NULL. */
static struct rec *held(struct ctx *c, uint64_t ipa)
{
	struct rec *r = leaf_first(c, ipa);

	return r && r->ipa <= ipa && (r->state < ST_ISB || r->flags & F_AGENT) ? r : NULL;
}

void dirty_seen(struct machine *m, struct page *p, unsigned slot, bool taken)
{
	uint64_t ipa = p->ipa + slot * span(m, p->level);
	struct ctx *c;
	struct mark *d;

	if (RB_EMPTY(&p->tree->limbo))
		return;
	d = mark_first(&p->tree->limbo, ipa);
	if (!d || d->ipa > ipa)
		return;
	LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
		if (!taken && held(c, ipa))
			return;
	}
	mark_drop(m, &p->tree->limbo, d);
}

static void forget(struct machine *m, struct marks *set, uint64_t ipa, uint64_t end,
		   const struct desc *d)
{
	struct mark *x = mark_first(set, ipa), *next;

	for (; x && x->ipa < end; x = next) {
		next = mark_next(x);
		if (!d || x->pa - x->ipa != d->pa - ipa)
			mark_drop(m, set, x);
	}
}

void dirty_forget(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		  const struct desc *d)
{
	if (!RB_EMPTY(&t->written))
		forget(m, &t->written, ipa, end, d);
	if (!RB_EMPTY(&t->limbo))
		forget(m, &t->limbo, ipa, end, d);
}

bool dirty_lost(struct machine *m, struct tree *t, uint64_t ipa, uint64_t end,
		struct lost *l)
{
	struct mark *d = mark_first(&t->written, ipa);

	l->written = d && d->ipa < end;
	if (!l->written)
		d = mark_first(&t->limbo, ipa);
	if (!d || d->ipa >= end)
		return false;
	l->ipa = d->ipa;
	l->pa = d->pa;
	l->step = d->step;
	dirty_forget(m, t, ipa, end, NULL);
	return true;
}

/* ---- a guest that writes --------------------------------------------------- */

/* The entry in a detached table by which a PE may translate ipa and write; or NULL. */
static uint64_t *limbo_entry(struct machine *m, struct ctx *c, uint64_t ipa, uint64_t *pa)
{
	const struct tree *t = c->tree;

	for (int l = 2; l >= t->shape.start_level; l--) {
		struct rec *r = table_first(c, l, ipa);

		for (; r && r->level == l && r->ipa <= ipa; r = table_next(r)) {
			struct page *p = page_at(m, r->pa);
			unsigned slot = (unsigned)(ipa / span(m, l + 1)) % entries(m);
			struct desc d;

			if (!p || !p->taken || p->live || p->level != l + 1)
				continue;
			d = desc_read(page_mem(m, p)[slot], l + 1, mode(m, t));
			if (d.kind != DESC_LEAF || !(d.write || hw_may_mark(m, t, &d)))
				continue;
			*pa = d.pa + (ipa & (d.size - 1));
			return &page_mem(m, p)[slot];
		}
	}
	return NULL;
}

static uint64_t *live_entry(struct machine *m, const struct tree *t, uint64_t ipa,
			    uint64_t *pa)
{
	unsigned top = desc_shift(m->granule, t->shape.start_level - 1);
	struct page *p = ipa >> top < t->shape.roots ?
				 page_at(m, t->root + (ipa >> top << m->granule)) :
				 NULL;

	while (p && p->live) {
		unsigned slot = (unsigned)(ipa / span(m, p->level)) % entries(m);
		uint64_t *e = &page_mem(m, p)[slot];
		const struct desc d = desc_read(*e, p->level, mode(m, t));

		if (d.kind == DESC_LEAF) {
			*pa = d.pa + (ipa & (d.size - 1));
			return (d.write && (d.af || t->shape.ha)) ||
					       hw_may_mark(m, t, &d) ?
				       e :
				       NULL;
		}
		p = d.kind == DESC_TABLE ? page_child(m, p, slot, d.pa) : NULL;
	}
	return NULL;
}

static bool writes(struct machine *m, unsigned pe, struct tree *t, uint64_t ipa)
{
	const char *how = "by a stale translation, which leaves no mark";
	uint64_t *e = NULL, old = 0, pa = 0;
	struct rec *r = NULL;
	struct ctx *c;

	ipa &= ~(granule(m) - 1);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		if (!t->dead && c->running & 1u << pe)
			break;
	}
	if (c)
		r = held(c, ipa);
	if (r && r->flags & F_DIRTY) {
		pa = r->pa + (ipa - r->ipa);
	} else if (r) {
		e = r->flags & F_BELOW ? limbo_entry(m, c, ipa, &pa) : NULL;
		how = "by an entry in a detached table";
		r = NULL;
	}
	if (c && !r && !e) {
		e = live_entry(m, t, ipa, &pa);
		how = "by the entry that is live";
	}
	if (e) {
		old = *e;
		*e |= S2AP_W | AF;
	}
	if (!r && !e) {
		log_event(m, pe, "writes to %#llx: it faults", NS(ipa));
		return false;
	}
	log_event(m, pe, "writes to %#llx %s%s", NS(ipa), how,
		  e && *e != old ? ": it is marked" : "");
	add(m, &t->written, ipa, granule(m), pa);
	return true;
}

bool s2m_guest_write(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa)
{
	struct tree *t = tree_find(m, root);

	if (!t)
		return false;
	m->step++;
	WATCH(m, .kind = S2M_EV_GUEST_WRITE, .pe = pe, .root = root, .ipa = ipa);
	return writes(m, pe, t, ipa);
}

void s2m_guest_writes(struct machine *m, uint64_t root, uint64_t ipa, uint64_t size,
		      uint64_t seed)
{
	WATCH(m, .kind = S2M_EV_GUEST_WRITES, .root = root, .ipa = ipa, .size = size,
	      .value = seed);
	m->writes.tree = tree_find(m, root);
	m->writes.ipa = ipa;
	m->writes.pages = size >> m->granule;
	m->writes.seed = m->writes.tree && m->writes.pages ? seed : 0;
}

void dirty_tick(struct machine *m)
{
	uint64_t s = m->writes.seed, ipa;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	m->writes.seed = s;
	if (s >> 61)
		return;
	ipa = m->writes.ipa + ((s & UINT32_MAX) % m->writes.pages << m->granule);
	m->step++;
	writes(m, (unsigned)((s >> 32) % m->pes), m->writes.tree, ipa);
}

void s2m_dirty_found(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
		     uint64_t size)
{
	struct tree *t = tree_find(m, root);

	m->step++;
	log_event(m, pe, "knows that %#llx-%#llx is dirty", NS(ipa), NS(ipa + size));
	WATCH(m, .kind = S2M_EV_DIRTY_FOUND, .pe = pe, .root = root, .ipa = ipa,
	      .size = size);
	if (t)
		forget(m, &t->written, ipa, ipa + size, NULL);
}
