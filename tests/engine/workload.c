/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The operations of the differential run, one entry of the table at the end for each:
 * how it is called, what it does to the reference, and what its range may look like
 * while it is under way.
 */
#include <inttypes.h>
#include <string.h>

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

/*
 * What a map needs, as it is said before, is what it takes; and what it would be refused
 * with. A budget changes that, or what is wrong with the op.
 */
static int run_map(struct world *w, struct call *c)
{
	const uint32_t others = ERR(S2_E_NOMEM) | ERR(S2_E_BATCH) | ERR(S2_E_BUDGET) |
				ERR(S2_E_RESUME) | ERR(S2_E_FLAGS);
	bool exact = !(c->flags & S2_SHARED) && !c->op.max_entries && !c->op.max_bytes &&
		     !c->op.batch && !c->op.st.kind;
	uint64_t needed = 0, taken = rig_cost().taken;
	int ret, said = 0;

	if (exact)
		said = s2_tables_needed(&w->s2, s2_ipa(c->ipa), s2_pa(c->pa), c->size,
					c->attr, c->flags, &needed);
	if (exact && (rig_cost().taken != taken || (said && needed)))
		world_wrong(w, "tables_needed: it takes one, or fails with a number");
	ret = s2_map(&w->s2, s2_ipa(c->ipa), s2_pa(c->pa), c->size, c->attr, c->flags,
		     op_of(c));
	taken = rig_cost().taken - taken;
	if (exact && !ret && (said || taken != needed))
		world_wrong(w, "tables_needed: %s, %" PRIu64 ", but it was %" PRIu64,
			    world_result(said), needed, taken);
	/* A part of a block that is split at an edge may be what stays (S2_MAP_NEW). */
	if (exact && ret < 0 && said != ret && (said || !(others & ERR(ret))) &&
	    !(ret == S2_E_EXIST && c->flags & S2_SPLIT_EDGES))
		world_wrong(w, "tables_needed: %s", world_result(said));
	return ret;
}

/* New memory that has to be cleaned bounds the leaves. */
static bool cleans_new(const struct flat *f, const struct call *c)
{
	return flat_weak(f, c->attr) && !(c->flags & S2_NO_CLEAN);
}

static int apply_map(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	const struct flat_map m = { .ipa = c->ipa,
				    .pa = c->pa,
				    .size = c->size,
				    .from = from,
				    .to = to,
				    .max_leaf = c->op.max_bytes && cleans_new(f, c) ?
							c->op.max_bytes :
							UINT64_MAX,
				    .attr = c->attr,
				    .flags = c->flags };

	return flat_map_step(f, &m);
}

static bool is_mapped(const struct flat_run *now, const struct call *c)
{
	/* A dirty leaf in place of which a clean one was wanted stays dirty. */
	s2_attr_t kept = c->attr & S2_DBM ? S2_W : 0;

	return !now->busy && now->level != FLAT_NOTHING &&
	       (now->attr == c->attr || now->attr == (c->attr | kept)) && now->young &&
	       now->pa - now->ipa == c->pa - c->ipa;
}

/* A window is broken before it is made; a shared call that gives up has made some. */
static bool rest_map(const struct flat_run *old, const struct flat_run *now,
		     const struct call *c)
{
	if (c->flags & S2_SHARED && now->ipa >= c->ipa && now->end <= c->ipa + c->size &&
	    is_mapped(now, c))
		return true;
	return c->flags & S2_MAP_REPLACE && old->busy <= FLAT_PARKED && is_gone(now) &&
	       !now->busy;
}

/* ---- what goes ------------------------------------------------------------------- */

/* The piece of what was there before the step, from *at on, if it is so no more. */
struct gone {
	struct flat_run was;
	bool replaced; /* by another leaf; else there is nothing */
	bool resized;  /* by one of another level that maps it alike, or a counted one */
};

static bool next_gone(const struct world *w, const struct call *c, uint64_t *at,
		      struct gone *g)
{
	const struct flat_run *was, *now;

	while ((was = flat_at(&w->before, *at))) {
		g->was = flat_cut(was, *at, UINT64_MAX);
		now = flat_at(&w->flat, g->was.ipa);
		if (now && now->ipa > g->was.ipa)
			g->was = flat_cut(&g->was, 0, now->ipa);
		else if (now)
			g->was = flat_cut(&g->was, 0, now->end);
		*at = g->was.end;
		g->replaced = now && now->ipa <= g->was.ipa;
		g->resized = false;
		if (!g->replaced)
			return true;
		g->resized = !g->was.busy &&
			     now->pa - now->ipa == g->was.pa - g->was.ipa &&
			     !((now->attr ^ g->was.attr) & (S2_MEM_MASK | S2_SH_MASK));
		/* It was finished first, and then its table was taken by the batch. */
		if (g->was.busy == FLAT_PARKED && now->busy > FLAT_PARKED)
			return true;
		if (!now->busy && (!g->resized || now->level != g->was.level))
			return true;
		if (!now->busy && c->kind->note == NOTE_MAPS &&
		    (flat_counted(&w->flat, now->attr) ||
		     flat_counted(&w->flat, g->was.attr)))
			return true;
	}
	return false;
}

/*
 * Of what was mapped before the step: what has gone; what was parked, of which nobody
 * remembers here how much was clean; what is.
 */
static uint64_t cleans_old(const struct world *w, const struct call *c, uint64_t *least)
{
	uint64_t at = 0, most = 0;
	struct gone g;

	while (next_gone(w, c, &at, &g)) {
		uint64_t n = g.was.end - g.was.ipa;

		if (g.was.busy == FLAT_PARKED) {
			most += n;
		} else if (!g.was.busy && flat_weak(&w->flat, g.was.attr) &&
			   !(c->flags & S2_NO_CLEAN)) {
			most += n;
			*least += g.resized ? 0 : n;
		}
	}
	for (const struct flat_run *r = w->flat.run; r < w->flat.run + w->flat.n; r++)
		if (r->busy == FLAT_PARKED && r->ipa < c->to && r->end > c->from)
			most += r->end - r->ipa;
	return most;
}

/* Two of the frames that have gone have a next owner. */
static void hand_on(struct world *w, const struct call *c)
{
	uint64_t at = 0;
	struct gone g;

	for (unsigned n = 0; n < 2 && next_gone(w, c, &at, &g);) {
		struct flat_run r;

		if (!g.was.pa || g.was.busy ||
		    frames_used(w, g.was.pa, g.was.end - g.was.ipa, NULL, &r))
			continue;
		if (!(c->flags & S2_NO_CLEAN))
			rig_frames_free(g.was.pa, g.was.end - g.was.ipa);
		n++;
	}
}

/* What is nowhere any more; a parked leaf is cleaned whatever is waived. */
static void promise_gone(struct world *w, const struct call *c, bool parked)
{
	uint64_t at = 0;
	struct gone g;

	while (next_gone(w, c, &at, &g))
		if (!g.replaced && parked == (g.was.busy == FLAT_PARKED))
			rig_unmapped(g.was.ipa, g.was.end - g.was.ipa,
				     parked || !(c->flags & S2_NO_CLEAN), true);
}

static uint64_t cleans_map(const struct world *w, const struct call *c, uint64_t from,
			   uint64_t to, uint64_t *least)
{
	uint64_t most = cleans_old(w, c, least);

	return most + (cleans_new(&w->flat, c) ? to - from : 0);
}

static void promise_map(struct world *w, const struct call *c, uint64_t from, uint64_t to)
{
	(void)from;
	(void)to;
	if (!(c->flags & S2_MAP_REPLACE))
		return;
	promise_gone(w, c, true);
	promise_gone(w, c, false);
	hand_on(w, c);
}

/* ---- unmap --------------------------------------------------------------------- */

static int run_unmap(struct world *w, struct call *c)
{
	return s2_unmap(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_unmap(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	static struct flat kept;
	uint64_t end = c->ipa + c->size, lo = from, hi = to;
	int err = flat_unmap_step(f, from, from, end, c->flags);

	if (err || from == to)
		return err;
	kept.n = 0;
	flat_extent(f, &lo, &hi);
	/* What is another's to finish, or the batch's, stays. */
	for (const struct flat_run *r; (r = flat_at(f, lo)) && r->ipa < hi; lo = r->end) {
		struct flat_run p = flat_cut(r, lo, hi);

		if (c->op.batch && !p.busy)
			p.busy = c->flags & S2_NO_CLEAN ? FLAT_WAIVED : FLAT_PENDING;
		if (p.busy > FLAT_PARKED || (p.busy && c->flags & S2_SHARED))
			flat_put(&kept, &p);
	}
	err = flat_unmap_step(f, from, to, end, c->flags);
	for (unsigned i = 0; !err && i < kept.n; i++)
		flat_put(f, &kept.run[i]);
	return err;
}

/* Bytes of [lo, hi) that an open batch has broken. */
static uint64_t waiting(const struct flat *f, uint64_t lo, uint64_t hi)
{
	const struct flat_run *r;
	uint64_t n = 0;

	for (; (r = flat_at(f, lo)) && r->ipa < hi; lo = r->end) {
		struct flat_run p = flat_cut(r, lo, hi);

		n += p.busy > FLAT_PARKED ? p.end - p.ipa : 0;
	}
	return n;
}

static uint64_t cleans_unmap(const struct world *w, const struct call *c, uint64_t from,
			     uint64_t to, uint64_t *least)
{
	uint64_t most = cleans_old(w, c, least), at = 0;

	(void)from;
	(void)to;
	if (!c->op.batch)
		return most;
	/* What waits already may be cleaned by either of the two. */
	for (const struct flat_run *r; (r = flat_at(&w->flat, at)); at = r->end) {
		struct flat_run p = flat_cut(r, w->before_from, w->before_to);

		if (p.ipa >= p.end || !p.pa || p.busy <= FLAT_PARKED ||
		    c->flags & S2_NO_CLEAN || !flat_weak(&w->flat, p.attr))
			continue;
		most += p.end - p.ipa;
		if (p.busy == FLAT_PENDING)
			*least += p.end - p.ipa - waiting(&w->before, p.ipa, p.end);
	}
	return most;
}

static void promise_unmap(struct world *w, const struct call *c, uint64_t from,
			  uint64_t to)
{
	promise_gone(w, c, true);
	promise_gone(w, c, false);
	/* What another step has parked is reported by whoever finishes that. */
	if (from < to)
		rig_unmapped(from, to - from, !(c->flags & S2_NO_CLEAN),
			     !(c->flags & S2_SHARED && flat_busy(&w->flat, from, to)));
	hand_on(w, c);
}

/* ---- changes in place ---------------------------------------------------------- */

static int run_wrprotect(struct world *w, struct call *c)
{
	return s2_wrprotect(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_wrprotect(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	if (from == to)
		return 0;
	flat_wrprotect(f, c->lo, c->hi - c->lo);
	return 0;
}

static void promise_wrprotect(struct world *w, const struct call *c, uint64_t from,
			      uint64_t to)
{
	(void)w;
	(void)c;
	if (from < to)
		rig_wrprotected(from, to - from);
}

static int run_age(struct world *w, struct call *c)
{
	return s2_age(&w->s2, s2_ipa(c->ipa), c->size, c->flags, &c->young, op_of(c));
}

static int apply_age(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	if (from == to)
		return 0;
	c->was_young |= flat_age(f, c->lo, c->hi - c->lo, c->flags & S2_CLEAR);
	return 0;
}

static int run_mkyoung(struct world *w, struct call *c)
{
	return s2_mkyoung(&w->s2, s2_ipa(c->ipa), c->flags);
}

static int apply_mkyoung(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	(void)from;
	(void)to;
	return flat_mkyoung(f, c->ipa, c->lo, c->hi);
}

static int run_relax(struct world *w, struct call *c)
{
	return s2_relax_perms(&w->s2, s2_ipa(c->ipa), c->attr & (S2_R | S2_W | S2_X),
			      c->flags);
}

static int apply_relax(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	(void)from;
	(void)to;
	return flat_relax(f, c->ipa, c->lo, c->hi, c->attr & (S2_R | S2_W | S2_X));
}

static int run_dirty(struct world *w, struct call *c)
{
	return s2_dirty(&w->s2, s2_ipa(c->ipa), c->size, c->flags, &c->log->dirty,
			op_of(c));
}

static int apply_dirty(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	uint64_t lo = c->log->dirty.ipa.ipa;

	if (!(f->features & S2_FEAT_DBM))
		return S2_E_UNSUPPORTED;
	if (c->flags & S2_CLEAR && from < to)
		flat_tidy(f, from, to - from, lo, lo + c->log->dirty.size);
	return 0;
}

static void promise_dirty(struct world *w, const struct call *c, uint64_t from,
			  uint64_t to)
{
	if (from == to)
		return;
	flat_extent(&w->flat, &from, &to);
	if (!log_complete(c->log, &w->flat, from, to))
		world_wrong(w, "dirty: a dirty page is not in the log");
}

static int run_clean(struct world *w, struct call *c)
{
	return s2_clean(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static uint64_t cleans_range(const struct world *w, const struct call *c, uint64_t from,
			     uint64_t to, uint64_t *least)
{
	(void)c;
	*least = flat_to_clean(&w->flat, from, to);
	return *least;
}

static int apply_nothing(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	(void)f;
	(void)c;
	(void)from;
	(void)to;
	return 0;
}

/* Of annotations in [lo, hi): bytes, and the value if there is one. */
static uint64_t count_notes(const struct flat *notes, uint64_t lo, uint64_t hi,
			    uint64_t *value)
{
	const struct flat_run *r;
	uint64_t bytes = 0;

	*value = 0;
	for (; lo < hi && (r = flat_at(notes, lo)) && r->ipa < hi; lo = r->end) {
		struct flat_run p = flat_cut(r, lo, hi);

		*value = !bytes || *value == note_value[r->attr] ? note_value[r->attr] :
								   0;
		bytes += p.end - p.ipa;
	}
	return bytes;
}

static int run_survey(struct world *w, struct call *c)
{
	bool steps = c->more;
	int ret =
		s2_survey(&w->s2, s2_ipa(c->ipa), c->size, c->flags, &c->found, op_of(c));
	const struct s2_survey *v = &c->found;
	uint64_t note;

	if (ret)
		return ret;
	if (v->mapped + v->noted + v->busy + v->empty != c->size)
		world_wrong(w, "survey: not the bytes of the range");
	if (v->uniform != (v->empty == c->size || (v->noted == c->size && v->note) ||
			   (v->mapped == c->size && v->all == v->any)))
		world_wrong(w, "survey: %suniform", v->uniform ? "" : "not ");
	if (!steps &&
	    (v->noted != count_notes(&w->notes, c->ipa, c->ipa + c->size, &note) ||
	     v->note != note))
		world_wrong(w, "survey: not the annotations of the reference");
	return 0;
}

static int apply_survey(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	struct s2_survey *v = &c->there;
	const struct flat_run *r;

	for (; from < to && (r = flat_at(f, from)) && r->ipa < to; from = r->end) {
		struct flat_run p = flat_cut(r, from, to);

		if (p.busy) {
			v->busy += p.end - p.ipa;
			continue;
		}
		v->all = v->mapped ? v->all & p.attr : p.attr;
		v->any |= p.attr;
		v->mapped += p.end - p.ipa;
		v->leaves[p.level] += p.end - p.ipa;
	}
	return 0;
}

/* ---- split --------------------------------------------------------------------- */

static int run_split(struct world *w, struct call *c)
{
	return s2_split(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

static int apply_split(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	(void)c;
	if (from < to)
		flat_split(f, from, to - from);
	return 0;
}

static bool rest_split(const struct flat_run *old, const struct flat_run *now,
		       const struct call *c)
{
	(void)c;
	return flat_part(old, now);
}

/* ---- collapse ------------------------------------------------------------------ */

static int run_collapse(struct world *w, struct call *c)
{
	return s2_collapse(&w->s2, s2_ipa(c->ipa), c->size, c->flags, op_of(c));
}

/* Which tables qualify is known, unless others come in between. */
static int apply_collapse(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	if (c->mixed)
		return 0;
	if (from == c->ipa && to == c->ipa + c->size) {
		/* A shared one looks at the flags when hardware can no longer write. */
		flat_collapse(f, c->ipa, c->size,
			      f->features & S2_FEAT_HAFDBS && !(c->flags & S2_SHARED));
		return 0;
	}
	flat_take(f, &c->then, c->ipa, to);
	return 0;
}

static bool rest_collapse(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	(void)c;
	return !old->busy && !now->busy && old->level != FLAT_NOTHING &&
	       now->level != FLAT_NOTHING && now->level < old->level &&
	       now->pa == old->pa &&
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
	return s2_annotate(&w->s2, s2_ipa(c->ipa), c->size, note_value[c->note], c->flags,
			   op_of(c));
}

static int apply_annotate(struct flat *f, struct call *c, uint64_t from, uint64_t to)
{
	const struct flat_map m = { .ipa = c->ipa,
				    .size = c->size,
				    .from = from,
				    .to = to,
				    .max_leaf = UINT64_MAX,
				    .flags = c->flags,
				    .note = true };

	return c->note ? flat_map_step(f, &m) : 0;
}

/* A window is broken before it is annotated. */
static bool rest_annotate(const struct flat_run *old, const struct flat_run *now,
			  const struct call *c)
{
	return c->flags & S2_MAP_REPLACE && old->busy <= FLAT_PARKED && is_gone(now) &&
	       !now->busy;
}

static uint64_t cleans_annotate(const struct world *w, const struct call *c,
				uint64_t from, uint64_t to, uint64_t *least)
{
	(void)from;
	(void)to;
	return cleans_old(w, c, least);
}

/* ---- batches ------------------------------------------------------------------- */

/* Opens one, or flushes it, or ends it. */
static int run_batch(struct world *w, struct call *c)
{
	bool end = c->attr & S2_W;
	int ret;

	if (!w->batched.open) {
		ret = s2_batch_begin(&w->s2, &w->batch);
		w->batched.open = !ret;
		return ret;
	}
	ret = end ? s2_batch_end(&w->s2, &w->batch, op_of(c)) :
		    s2_batch_flush(&w->s2, &w->batch, op_of(c));
	if (!ret)
		w->batched.open = !end;
	return ret;
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
	  .changes = true,
	  .note = NOTE_MAPS,
	  .log = LOG_SOME,
	  .flags = S2_MAP_PAGES | S2_MAP_REPLACE | S2_MAP_NEW | S2_MAP_CONT | EDGES |
		   S2_NO_CLEAN | S2_SHARED,
	  .errors = ERR(S2_E_EXIST) | ERR(S2_E_BLOCK) | ERR(S2_E_BUSY) | ERR(S2_E_NOMEM) |
		    ERR(S2_E_ATTR),
	  .run = run_map,
	  .apply = apply_map,
	  .rest = rest_map,
	  .cleans = cleans_map,
	  .promise = promise_map },
	{ .name = "unmap",
	  .often = 44,
	  .changes = true,
	  .note = NOTE_DROPS,
	  .log = LOG_SOME,
	  .bounded = true,
	  .flags = EDGES | S2_NO_CLEAN | S2_KEEP_NOTES | S2_SHARED,
	  .errors = ERR(S2_E_BLOCK) | ERR(S2_E_NOMEM),
	  .run = run_unmap,
	  .apply = apply_unmap,
	  .cleans = cleans_unmap,
	  .promise = promise_unmap },
	{ .name = "wrprotect",
	  .often = 15,
	  .changes = true,
	  .whole = true,
	  .log = LOG_SOME,
	  .flags = S2_SHARED,
	  .run = run_wrprotect,
	  .apply = apply_wrprotect,
	  .promise = promise_wrprotect },
	{ .name = "age",
	  .often = 15,
	  .changes = true,
	  .whole = true,
	  .flags = S2_CLEAR | S2_SHARED,
	  .run = run_age,
	  .apply = apply_age },
	{ .name = "mkyoung",
	  .often = 12,
	  .changes = true,
	  .whole = true,
	  .point = true,
	  .errors = ERR(S2_E_NOENT) | ERR(S2_E_BUSY),
	  .flags = S2_SHARED,
	  .run = run_mkyoung,
	  .apply = apply_mkyoung },
	{ .name = "relax_perms",
	  .often = 15,
	  .changes = true,
	  .whole = true,
	  .point = true,
	  .errors = ERR(S2_E_NOENT) | ERR(S2_E_BUSY) | ERR(S2_E_ATTR),
	  .flags = S2_SHARED,
	  .run = run_relax,
	  .apply = apply_relax },
	{ .name = "clean",
	  .often = 10,
	  .flags = S2_SHARED,
	  .run = run_clean,
	  .apply = apply_nothing,
	  .cleans = cleans_range },
	{ .name = "survey",
	  .often = 6,
	  .flags = S2_SHARED,
	  .run = run_survey,
	  .apply = apply_survey },
	{ .name = "split",
	  .often = 15,
	  .changes = true,
	  .most = 1600,
	  .errors = ERR(S2_E_NOMEM),
	  .flags = S2_SHARED,
	  .run = run_split,
	  .apply = apply_split,
	  .rest = rest_split },
	{ .name = "collapse",
	  .often = 15,
	  .changes = true,
	  .flags = S2_SHARED,
	  .tables = 2,
	  .run = run_collapse,
	  .apply = apply_collapse,
	  .rest = rest_collapse },
	{ .name = "lookup",
	  .often = 10,
	  .point = true,
	  .run = run_lookup,
	  .apply = apply_nothing },
	{ .name = "batch",
	  /* Only on request: pick_batches. */
	  .often = 0,
	  .point = true,
	  .flushes = true,
	  .run = run_batch,
	  .apply = apply_nothing },
	{ .name = "release",
	  .often = 6,
	  .point = true,
	  .run = run_release,
	  .apply = apply_nothing },
	{ .name = "annotate",
	  .often = 10,
	  .changes = true,
	  .note = NOTE_SETS,
	  .log = LOG_SOME,
	  .flags = S2_MAP_REPLACE | EDGES | S2_NO_CLEAN,
	  .errors = ERR(S2_E_EXIST) | ERR(S2_E_BLOCK) | ERR(S2_E_BUSY) | ERR(S2_E_NOMEM),
	  .run = run_annotate,
	  .apply = apply_annotate,
	  .rest = rest_annotate,
	  .cleans = cleans_annotate,
	  .promise = promise_map },
	{ .name = "dirty",
	  .often = 10,
	  .changes = true,
	  .log = LOG_OWN,
	  .most = LOG_PAGES,
	  .errors = ERR(S2_E_UNSUPPORTED),
	  .flags = S2_CLEAR | S2_SHARED,
	  .run = run_dirty,
	  .apply = apply_dirty,
	  .promise = promise_dirty },
};
const unsigned kinds_n = sizeof(kinds) / sizeof(*kinds);

const struct kind *kind_of(const char *name)
{
	const struct kind *k = kinds;

	while (strcmp(k->name, name))
		k++;
	return k;
}
