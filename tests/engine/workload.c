/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The operations of the differential run, one entry of the table at the end for each:
 * how it is called, what it does to the reference, and what its range may look like
 * while it is under way.
 */
#include "world.h"

#define ERR(e) (1u << -(e))
#define EDGES (S2_DROP_EDGES | S2_SPLIT_EDGES)

static struct s2_op *op_of(struct call *c)
{
	return c->with_op ? &c->op : NULL;
}

static bool is_gone(const struct flat_run *now)
{
	return now->busy || now->level == FLAT_NOTHING;
}

/* ---- map ----------------------------------------------------------------------- */

static int run_map(struct world *w, struct call *c)
{
	return s2_map(&w->s2, s2_ipa(c->ipa), s2_pa(c->pa), c->size, c->attr, c->flags,
		      op_of(c));
}

static int apply_map(struct flat *f, struct call *c)
{
	return flat_map(f, c->ipa, c->pa, c->size, c->attr, c->flags);
}

static bool is_mapped(const struct flat_run *now, const struct call *c)
{
	/* A dirty leaf in place of which a clean one was wanted stays dirty. */
	s2_attr_t kept = c->attr & S2_DBM ? S2_W : 0;

	return !now->busy && now->level != FLAT_NOTHING &&
	       (now->attr == c->attr || now->attr == (c->attr | kept)) && now->young &&
	       now->pa - now->ipa == c->pa - c->ipa;
}

static bool done_map(const struct flat_run *now, const struct call *c)
{
	return c->disturbed || is_mapped(now, c);
}

static bool allowed_map(const struct flat_run *old, const struct flat_run *now,
			const struct call *c)
{
	if (now->ipa >= c->ipa && now->end <= c->ipa + c->size && is_mapped(now, c))
		return true;
	/* Busy, or finished by somebody, or dropped at the edge. */
	if (c->flags & S2_MAP_REPLACE && is_gone(now))
		return true;
	/* A table in which another operation under way has left nothing. */
	if (now->busy && !old->busy && old->level == FLAT_NOTHING)
		return true;
	return c->flags & S2_SPLIT_EDGES && flat_part(old, now);
}

/* ---- unmap --------------------------------------------------------------------- */

static int run_unmap(struct world *w, struct call *c)
{
	return s2_unmap(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_unmap(struct flat *f, struct call *c)
{
	return flat_unmap(f, c->ipa, c->size, c->flags);
}

/* What others have mapped since it began may stay. */
static bool done_unmap(const struct flat_run *now, const struct call *c)
{
	/* A shared one leaves what is another's to finish. */
	if (now->busy)
		return c->disturbed || c->flags & S2_SHARED || c->op.batch;
	return now->level == FLAT_NOTHING || now->fresh & 1u << c->slot;
}

static bool allowed_unmap(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	return is_gone(now) || (c->flags & S2_SPLIT_EDGES && flat_part(old, now));
}

static void promise_unmap(struct world *w, const struct call *c)
{
	bool clean = !(c->flags & S2_NO_CLEAN) && !c->disturbed && !w->waived &&
		     !(w->batched.open && w->batched.waived);

	/* A block that others have mapped in between may have gone whole. */
	w->waived |= c->flags & S2_NO_CLEAN && c->disturbed;
	/* Others have mapped something in between, which stays. */
	if (flat_any(&w->flat, c->lo, c->hi)) {
		w->waived |= !!(c->flags & S2_NO_CLEAN);
		return;
	}
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		const struct call *o = &w->slot[i];

		if (o != c && o->more && o->from < c->to && c->from < o->to)
			clean = false;
	}
	rig_unmapped(c->lo, c->hi - c->lo, clean);
	if (c->frame && clean)
		rig_frame_free(c->frame);
}

/* ---- changes in place ---------------------------------------------------------- */

static int run_wrprotect(struct world *w, struct call *c)
{
	return s2_wrprotect(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_wrprotect(struct flat *f, struct call *c)
{
	flat_wrprotect(f, c->lo, c->hi - c->lo);
	return 0;
}

static bool done_wrprotect(const struct flat_run *now, const struct call *c)
{
	return c->disturbed || is_gone(now) || !(now->attr & (S2_W | S2_DBM));
}

static bool allowed_wrprotect(const struct flat_run *old, const struct flat_run *now,
			      const struct call *c)
{
	struct flat_run then = *old;

	(void)c;
	then.attr &= ~(S2_W | S2_DBM);
	return flat_equal(&then, now);
}

static void promise_wrprotect(struct world *w, const struct call *c)
{
	(void)w;
	if (!c->disturbed)
		rig_wrprotected(c->ipa, c->size);
}

static int run_age(struct world *w, struct call *c)
{
	return s2_age(&w->s2, s2_ipa(c->ipa), c->size, c->flags, &c->young, op_of(c));
}

static int apply_age(struct flat *f, struct call *c)
{
	c->was_young = flat_age(f, c->lo, c->hi - c->lo, c->flags & S2_CLEAR);
	return 0;
}

static bool allowed_age(const struct flat_run *old, const struct flat_run *now,
			const struct call *c)
{
	struct flat_run then = *old;

	then.young = false;
	return c->flags & S2_CLEAR && flat_equal(&then, now);
}

static int run_mkyoung(struct world *w, struct call *c)
{
	return s2_mkyoung(&w->s2, s2_ipa(c->ipa), c->flags);
}

static int apply_mkyoung(struct flat *f, struct call *c)
{
	return flat_mkyoung(f, c->ipa, c->lo, c->hi);
}

static bool allowed_mkyoung(const struct flat_run *old, const struct flat_run *now,
			    const struct call *c)
{
	struct flat_run then = *old;

	(void)c;
	then.young = true;
	return flat_equal(&then, now);
}

static int run_relax(struct world *w, struct call *c)
{
	return s2_relax_perms(&w->s2, s2_ipa(c->ipa), c->attr & (S2_R | S2_W | S2_X),
			      c->flags);
}

static int apply_relax(struct flat *f, struct call *c)
{
	return flat_relax(f, c->ipa, c->lo, c->hi, c->attr & (S2_R | S2_W | S2_X));
}

static bool allowed_relax(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	struct flat_run then = *old;

	then.young = true;
	then.attr |= c->attr & (S2_R | S2_W | S2_X);
	return flat_equal(&then, now);
}

static int run_dirty(struct world *w, struct call *c)
{
	return s2_dirty(&w->s2, s2_ipa(c->ipa), c->size, c->flags, &c->log->dirty,
			op_of(c));
}

static int apply_dirty(struct flat *f, struct call *c)
{
	uint64_t lo = c->log->dirty.ipa.ipa;

	if (!(f->features & S2_FEAT_DBM))
		return S2_E_UNSUPPORTED;
	if (c->flags & S2_CLEAR)
		flat_tidy(f, c->ipa, c->size, lo, lo + c->log->dirty.size);
	return 0;
}

static bool allowed_dirty(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	struct flat_run then = *old;

	if (flat_dirty(old))
		then.attr &= ~S2_W;
	return c->flags & S2_CLEAR && flat_equal(&then, now);
}

static void promise_dirty(struct world *w, const struct call *c)
{
	uint64_t lo = c->ipa, hi = lo + c->size;

	flat_extent(&w->flat, &lo, &hi);
	if (!c->disturbed && !log_complete(c->log, &w->flat, lo, hi))
		world_wrong(w, "dirty: a dirty page is not in the log");
}

static int run_clean(struct world *w, struct call *c)
{
	return s2_clean(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_nothing(struct flat *f, struct call *c)
{
	(void)f;
	(void)c;
	return 0;
}

/* ---- split --------------------------------------------------------------------- */

static int run_split(struct world *w, struct call *c)
{
	return s2_split(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_split(struct flat *f, struct call *c)
{
	flat_split(f, c->ipa, c->size);
	return 0;
}

static bool done_split(const struct flat_run *now, const struct call *c)
{
	return c->disturbed || is_gone(now) || now->level == 3;
}

static bool allowed_split(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	return flat_part(old, now) || (c->op.batch && old->level < 3 && now->busy);
}

/* ---- collapse ------------------------------------------------------------------ */

static int run_collapse(struct world *w, struct call *c)
{
	return s2_collapse(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_collapse(struct flat *f, struct call *c)
{
	/* A shared one looks at the flags when hardware can no longer write. */
	flat_collapse(f, c->ipa, c->size,
		      f->features & S2_FEAT_HAFDBS && !(c->flags & S2_SHARED));
	return 0;
}

static bool allowed_collapse(const struct flat_run *old, const struct flat_run *now,
			     const struct call *c)
{
	(void)c;
	return !old->busy && !now->busy && now->level != FLAT_NOTHING &&
	       now->level < old->level && now->pa == old->pa &&
	       (now->attr == old->attr ||
		(old->attr & S2_DBM && now->attr == (old->attr | S2_W))) &&
	       now->young >= old->young;
}

/* ---- looking ------------------------------------------------------------------- */

/* The short answer against the long one, which is compared with the reference. */
static void check_translate(struct world *w, uint64_t ipa, const struct s2_mapping *m)
{
	struct s2_leaf leaf;
	int ret = s2_translate(&w->s2, s2_ipa(ipa), &leaf);

	if (ret != (m->state == S2_LEAF ? 0 :
		    m->state == S2_BUSY ? S2_E_BUSY :
					  S2_E_NOENT))
		world_wrong(w, "translate: %s", s2_strerror(ret));
	else if (!ret &&
		 (leaf.pa.pa != m->pa.pa + (ipa - m->ipa.ipa) || leaf.desc != m->desc ||
		  leaf.level != m->level || s2_leaf_size(&w->s2, &leaf) != m->size ||
		  s2_leaf_perms(&leaf) != (m->attr & (S2_R | S2_W))))
		world_wrong(w, "translate: not the leaf of the lookup");
}

static int run_lookup(struct world *w, struct call *c)
{
	const struct flat_run *r = flat_at(&w->flat, c->ipa);
	struct s2_mapping m;
	int ret = s2_lookup(&w->s2, s2_ipa(c->ipa + 8 * c->slot), &m);
	bool there = r && r->ipa <= c->ipa, noted;

	if (ret)
		return ret;
	if (c->ipa < m.ipa.ipa || c->ipa >= m.ipa.ipa + m.size)
		world_wrong(w, "lookup: not the entry for the address");
	r = there ? r : flat_at(&w->notes, c->ipa);
	noted = !there && r && r->ipa <= c->ipa;
	if (m.state != (noted	? S2_NOTE :
			!there	? S2_EMPTY :
			r->busy ? S2_BUSY :
				  S2_LEAF))
		world_wrong(w, "lookup: not the state of the reference");
	else if (m.state == S2_LEAF &&
		 (m.level != r->level || m.attr != r->attr || m.young != r->young ||
		  m.pa.pa - m.ipa.ipa != r->pa - r->ipa))
		world_wrong(w, "lookup: not the leaf of the reference");
	else if (noted && m.note != note_value[r->attr])
		world_wrong(w, "lookup: not the annotation of the reference");
	else if (m.state != S2_LEAF && !there &&
		 flat_any(&w->flat, m.ipa.ipa, m.ipa.ipa + m.size))
		world_wrong(w, "lookup: a hole where something is");
	check_translate(w, c->ipa + 8 * c->slot, &m);
	return 0;
}

/* ---- annotations --------------------------------------------------------------- */

static int run_annotate(struct world *w, struct call *c)
{
	w->noted = true;
	return s2_annotate(&w->s2, s2_ipa(c->ipa), c->size, note_value[c->note], 0,
			   op_of(c));
}

static int apply_annotate(struct flat *f, struct call *c)
{
	const struct flat_run *r = flat_at(f, c->ipa);

	if (!c->note || !r || r->ipa >= c->ipa + c->size)
		return 0;
	return r->busy ? S2_E_BUSY : S2_E_EXIST;
}

/* A table in which nothing is left but cleared annotations goes. */
static bool allowed_annotate(const struct flat_run *old, const struct flat_run *now,
			     const struct call *c)
{
	return !c->note && is_gone(old) && is_gone(now);
}

/* ---- batches ------------------------------------------------------------------- */

/* Opens one, or flushes it, or ends it if no operation of it is under way. */
static int run_batch(struct world *w, struct call *c)
{
	bool end = c->attr & S2_W;
	int ret;

	if (!w->batched.open) {
		ret = s2_batch_begin(&w->s2, &w->batch);
		w->batched.open = !ret;
		w->batched.waived = false;
		w->batched.n = 0;
		w->batched.pages.n = 0;
		return ret;
	}
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		end &= !w->slot[i].more || !w->slot[i].op.batch;
	/* What was begun as one goes on as the same. */
	if (!c->more)
		c->size = end;
	end = c->size;
	ret = end ? s2_batch_end(&w->s2, &w->batch, op_of(c)) :
		    s2_batch_flush(&w->s2, &w->batch, op_of(c));
	if (!ret)
		w->batched.open = !end;
	return ret;
}

/* The address says nothing: what is busy there may be the batch's. */
static bool allowed_batch(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	(void)c;
	/* Gone, or a block of level 1 split into those of level 2, or into pages. */
	return old->busy && (now->level == FLAT_NOTHING || now->level >= 2);
}

/* All that was unmapped and protected in it is, unless others came in between. */
static void promise_batch(struct world *w, const struct call *c)
{
	bool clean = !w->batched.waived && !w->waived && !w->flat.under_way;

	(void)c;
	for (unsigned i = 0; i < w->batched.n; i++) {
		uint64_t lo = w->batched.range[i].lo, hi = w->batched.range[i].hi;

		if (w->batched.range[i].kind->run == run_unmap) {
			if (!flat_any(&w->flat, lo, hi))
				rig_unmapped(lo, hi - lo, clean);
		} else if (w->batched.range[i].kind->run == run_wrprotect &&
			   !flat_writable(&w->flat, lo, hi)) {
			rig_wrprotected(lo, hi - lo);
		}
	}
	/* A block at an edge went whole, so what was waived is more than the ranges. */
	w->waived |= w->batched.waived;
	w->batched.n = 0;
	w->batched.pages.n = 0;
	w->batched.waived = false;
}

/* ---- release ------------------------------------------------------------------- */

static int run_release(struct world *w, struct call *c)
{
	int ret;

	/* After a grace period that began after each detach. */
	if (w->walker)
		rig_walker(false);
	ret = s2_release(&w->s2, &w->limbo[c->slot % WORLD_LIMBOS], &c->op);
	if (w->walker)
		rig_walker(true);
	if (!ret && w->limbo[c->slot % WORLD_LIMBOS].head)
		world_wrong(w, "release: the limbo is not empty");
	return ret;
}

/* ---- all ----------------------------------------------------------------------- */

const struct kind kinds[] = {
	{ .name = "map",
	  .often = 60,
	  .note = NOTE_MAPS,
	  .log = LOG_SOME,
	  .flags = S2_MAP_PAGES | S2_MAP_REPLACE | S2_MAP_CONT | EDGES | S2_NO_CLEAN |
		   S2_SHARED,
	  .errors = ERR(S2_E_EXIST) | ERR(S2_E_BLOCK) | ERR(S2_E_BUSY) | ERR(S2_E_NOMEM) |
		    ERR(S2_E_ATTR),
	  .run = run_map,
	  .apply = apply_map,
	  .allowed = allowed_map,
	  .done = done_map },
	{ .name = "unmap",
	  .note = NOTE_DROPS,
	  .batch = true,
	  .log = LOG_SOME,
	  .often = 50,
	  .bounded = true,
	  .flags = EDGES | S2_NO_CLEAN | S2_KEEP_NOTES | S2_SHARED,
	  .errors = ERR(S2_E_BLOCK) | ERR(S2_E_NOMEM),
	  .run = run_unmap,
	  .apply = apply_unmap,
	  .allowed = allowed_unmap,
	  .done = done_unmap,
	  .promise = promise_unmap },
	{ .name = "wrprotect",
	  .whole = true,
	  .batch = true,
	  .log = LOG_SOME,
	  .often = 15,
	  .flags = S2_SHARED,
	  .run = run_wrprotect,
	  .apply = apply_wrprotect,
	  .allowed = allowed_wrprotect,
	  .done = done_wrprotect,
	  .promise = promise_wrprotect },
	{ .name = "age",
	  .whole = true,
	  .batch = true,
	  .often = 15,
	  .flags = S2_CLEAR | S2_SHARED,
	  .run = run_age,
	  .apply = apply_age,
	  .allowed = allowed_age },
	{ .name = "mkyoung",
	  .whole = true,
	  .often = 12,
	  .point = true,
	  .errors = ERR(S2_E_NOENT) | ERR(S2_E_BUSY),
	  .flags = S2_SHARED,
	  .run = run_mkyoung,
	  .apply = apply_mkyoung,
	  .allowed = allowed_mkyoung },
	{ .name = "relax_perms",
	  .whole = true,
	  .often = 15,
	  .point = true,
	  .errors = ERR(S2_E_NOENT) | ERR(S2_E_BUSY) | ERR(S2_E_ATTR),
	  .flags = S2_SHARED,
	  .run = run_relax,
	  .apply = apply_relax,
	  .allowed = allowed_relax },
	{ .name = "clean",
	  .often = 10,
	  .flags = S2_SHARED,
	  .run = run_clean,
	  .apply = apply_nothing },
	{ .name = "split",
	  .batch = true,
	  .often = 15,
	  .most = 1600,
	  .errors = ERR(S2_E_NOMEM),
	  .flags = S2_SHARED,
	  .run = run_split,
	  .apply = apply_split,
	  .allowed = allowed_split,
	  .done = done_split },
	{ .name = "collapse",
	  .often = 15,
	  .flags = S2_SHARED,
	  .tables = 3,
	  .run = run_collapse,
	  .apply = apply_collapse,
	  .allowed = allowed_collapse },
	{ .name = "lookup",
	  .often = 12,
	  .point = true,
	  .run = run_lookup,
	  .apply = apply_nothing },
	{ .name = "batch",
	  /* Only on request: pick_batches. */
	  .often = 0,
	  .point = true,
	  .flushes = true,
	  .run = run_batch,
	  .apply = apply_nothing,
	  .allowed = allowed_batch,
	  .promise = promise_batch },
	{ .name = "release",
	  .often = 6,
	  .point = true,
	  .run = run_release,
	  .apply = apply_nothing },
	{ .name = "annotate",
	  .note = NOTE_SETS,
	  .often = 10,
	  .errors = ERR(S2_E_EXIST) | ERR(S2_E_BUSY) | ERR(S2_E_NOMEM),
	  .run = run_annotate,
	  .apply = apply_annotate,
	  .allowed = allowed_annotate },
	{ .name = "dirty",
	  .batch = true,
	  .often = 10,
	  .log = LOG_OWN,
	  .most = LOG_PAGES,
	  .errors = ERR(S2_E_UNSUPPORTED),
	  .flags = S2_CLEAR | S2_SHARED,
	  .run = run_dirty,
	  .apply = apply_dirty,
	  .allowed = allowed_dirty,
	  .promise = promise_dirty },
};
const unsigned kinds_n = sizeof(kinds) / sizeof(*kinds);
