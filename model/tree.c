/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stores to table pages: whether an entry is made, broken or changed, and whether the
 * change is allowed in place.
 */
#include "tree.h"

/* A leaf changes in place; its address, size and memory type stay. */
static void leaf_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			 const struct desc *od, const struct desc *nd)
{
	struct stale s = {
		.m = m, .t = p->tree, .pe = pe, .state = ST_WRITTEN, .flags = F_OLD
	};
	bool lost;

	run_changed(m, pe, p, slot);
	/* If it is not counted any more that is as if it had gone. */
	counted_broken(m, p->tree, slot_ipa(m, p, slot), od);
	counted_made(m, p->tree, slot_ipa(m, p, slot), nd);
	if ((nd->exec1 && !od->exec1) || (nd->exec0 && !od->exec0))
		frames_check_map(m, pe, slot_ipa(m, p, slot), nd, false);
	/*
	 * If the new entry allows less, a TLB may go on using the old one. If it allows
	 * more, the old one only leads to a fault that finds the new entry.
	 */
	lost = od->type != nd->type ||
	       (leaf_flags(m, p->tree, od) & ~leaf_flags(m, p->tree, nd) &
		(F_WRITE | F_DIRTY));
	if (!lost && may_be_cached(m, p->tree, nd))
		forget_older(m, p->tree, pe, slot_ipa(m, p, slot), p->level, nd);
	if (!may_be_cached(m, p->tree, od) || (!lost && may_be_cached(m, p->tree, nd)))
		return;
	stale_leaf(&s, slot_ipa(m, p, slot), p->level, od);
	stale_flush(&s);
}

/* The table maps the range of block d as d does; with holes, entries may be invalid. */
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
		if (o.kind == DESC_INVALID ?
			    !holes :
			    o.kind == DESC_TABLE || o.pa - at != d->pa - ipa ||
				    (o.type ^ d->type) & ~TYPE_SIZE ||
				    o.read != d->read ||
				    desc_writes(m, t, &o) != desc_writes(m, t, d) ||
				    o.exec1 != d->exec1 || o.exec0 != d->exec0)
			return false;
		at += span(m, l - 1);
	}
	return true;
}

/*
 * A block replaces a table or a table a block, without break-before-make: FEAT_BBM
 * level 2 allows it, level 1 allows it if the block has nT. NULL: it is allowed here;
 * else the reason why not.
 */
static const char *no_resize(const struct machine *m, const struct page *p, unsigned slot,
			     const struct desc *od, const struct desc *nd)
{
	const struct desc *leaf = od->kind == DESC_LEAF ? od : nd;
	const struct desc *table = od->kind == DESC_LEAF ? nd : od;
	uint64_t ipa = slot_ipa(m, p, slot);
	struct ctx *c;

	if (!bbm(m) && m->features & S2M_CONFLICTS && m->mode.nt)
		return ": the other agent has no FEAT_BBM";
	if (!bbm(m))
		return m->mode.nt ? ": conflict aborts are not handled" : "";
	if (bbm(m) == 1 && !leaf->nt)
		return ": FEAT_BBM level 1 wants nT in the block";
	/* With level 1 no TLB may hold the block as it was before nT was set. */
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

/* A table replaces a block or a block a table, with the same output, in place. */
static void entry_resized(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			  const struct desc *od, const struct desc *nd, enum how how)
{
	struct stale s = { .m = m,
			   .t = p->tree,
			   .pe = pe,
			   .state = ST_WRITTEN,
			   .flags = F_OLD,
			   .mapped = true };
	struct page *child;

	p->nvalid--;
	if (od->kind == DESC_LEAF) {
		leaf_broken(m, p->tree, slot_ipa(m, p, slot), od);
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

/*
 * An entry becomes valid in a page that only the stale table entry above reaches. As long
 * as walkers may read that, they may read this again.
 */
static void entry_in_limbo(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			   const struct desc *d, const struct rec *above)
{
	bool again = above->state == ST_WRITTEN;
	struct stale s = { .m = m,
			   .t = p->tree,
			   .pe = again ? above->writer : pe,
			   .state = again ? ST_WRITTEN : ST_VISIBLE,
			   .flags = F_BELOW,
			   .limbo = p };
	struct page *child;

	if (d->kind == DESC_LEAF) {
		leaf_in_limbo(m, p->tree, pe, slot_ipa(m, p, slot), p->level, d);
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
	/* Stores of other PEs that were handed over are ordered before this one. */
	for (unsigned q = 0; p->stores & ~(1u << pe) && q < m->pes; q++)
		if (q != pe && m->pe[q].ordered >= p->stored &&
		    knows(m, pe, q, p->stored))
			p->stores &= (uint16_t) ~(1u << q);
	p->stored = m->step;
	p->stores |= (uint16_t)(1u << pe);
}

/* The entry is valid before the store or after it. */
static void valid_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			  uint64_t old, uint64_t new, enum how how)
{
	const struct desc od = desc_read(old, p->level, mode(m, p->tree));
	const struct desc nd = desc_read(new, p->level, mode(m, p->tree));
	const char *why = "";

	if (p->live)
		agent_reads(m, pe, p, slot, new);
	if (!p->live) {
		struct rec *stale = page_stale(m, p);
		struct page *child =
			od.kind == DESC_TABLE ? page_child(m, p, slot, od.pa) : NULL;

		if (child)
			child->parent = 0;
		if (stale && nd.kind != DESC_INVALID) {
			agent_reads(m, pe, p, slot, new);
			entry_in_limbo(m, pe, p, slot, &nd, stale);
		}
		return;
	}
	if (how != HOW_ATOMIC && hw_may_write(m, p->tree, &od))
		verdict(m, R_HW_UPDATE_LOST,
			(struct where){
				.pe = pe, .ipa = slot_ipa(m, p, slot), .pa = od.pa },
			"PE%u replaces the entry for %#llx by a plain store; hardware may "
			"have set its access flag or dirty state since it was read",
			pe, NS(slot_ipa(m, p, slot)));
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
		"making it invalid in between%s",
		pe, p->level, NS(slot_ipa(m, p, slot)),
		od.kind == DESC_TABLE ? "table" : "leaf", NS(od.pa),
		nd.kind == DESC_TABLE ? "table" : "leaf", NS(nd.pa),
		od.kind != nd.kind || od.pa != nd.pa ? "" :
		(od.type ^ nd.type) & ~TYPE_SIZE     ? " of another memory type" :
		od.contiguous != nd.contiguous	     ? " with another Contiguous bit" :
						       " with another nT",
		why);
	entry_broken(m, pe, p, slot, &od);
	m->reported[R_BBM_MADE_TOO_EARLY] = m->step; /* one verdict is enough */
	entry_made(m, pe, p, slot, &nd, how);
	run_told(m, p, slot);
}

void entry_changed(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		   uint64_t old, uint64_t new, enum how how)
{
	const struct desc_mode *dm = mode(m, p->tree);

	if (p->live)
		m->live_stores += old != new;
	else
		page_stored(m, pe, p);
	if (p->level < 0 || old == new ||
	    (!desc_valid(old, p->level, dm) && !desc_valid(new, p->level, dm)))
		return;
	valid_changed(m, pe, p, slot, old, new, how);
}
