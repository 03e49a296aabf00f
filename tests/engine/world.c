/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rnd.h"

/* Something must have gone wrong when a record takes more. */
#define STEPS_MOST 20000u
/* DSBs and TLBIs of one unmap: P5. */
#define DSB_MOST 5u
#define TLBI_MOST (S2_PLAN_OPS + 2u)

bool world_wrong(struct world *w, const char *fmt, ...)
{
	va_list args;
	int n;

	if (w->wrong[0])
		return false;
	n = snprintf(w->wrong, sizeof(w->wrong), "record %u: ", w->record);
	va_start(args, fmt);
	vsnprintf(w->wrong + n, sizeof(w->wrong) - (size_t)n, fmt, args);
	va_end(args);
	return false;
}

/* ---- the instance --------------------------------------------------------------- */

static bool world_open(struct world *w, const uint8_t *h, FILE *log)
{
	unsigned reach;
	struct s2_config cfg = pick_config(h, &reach);
	uint64_t seed;
	int ret;

	memcpy(&seed, h, sizeof(seed));
	rig_open(&cfg, h[5] & 1, seed, log);
	ret = s2_init(&w->s2, &cfg);
	if (ret)
		return world_wrong(w, "s2_init: %s", s2_strerror(ret));
	rig_ready(&w->s2);
	flat_init(&w->flat, &w->s2);
	flat_init(&w->before, &w->s2);
	flat_init(&w->notes, &w->s2);
	flat_init(&w->runs, &w->s2);
	w->page = UINT64_C(1) << cfg.granule_shift;
	w->block = flat_leaf_size(&w->flat, 2);
	w->big = reach > 2u * cfg.granule_shift - 3 ? UINT64_C(1) << reach : 0;
	w->region_size = (w->big ? w->big : w->block) * 4;
	w->region[0] = pick_region(w, h[6]);
	w->region[1] = pick_region(w, h[7]);
	/* Few frames, so that they move, and a region's size on either side. */
	for (w->places = 5;
	     (w->places + 2) * w->region_size > UINT64_C(1) << (cfg.pa_bits - 1);)
		w->places--;
	w->walker = !(h[5] & 6);
	w->shared = WORLD_SHARED ? (h[5] >> 3 & 3) % 3 : 0;
	w->runs_allowed = w->shared != 1 && h[5] & 0x40;
	if (w->walker)
		rig_walker(true);
	if (w->print)
		fprintf(w->print,
			"/* granule %u, ipa %u, pa %u bits, features 0x%x, errata 0x%x, "
			"counted 0x%x%s%s */\n",
			1u << cfg.granule_shift, cfg.ipa_bits, cfg.pa_bits, cfg.features,
			cfg.errata, cfg.counted, h[5] & 1 ? ", another agent" : "",
			w->walker ? ", a walker without the lock" : "");
	return true;
}

/* ---- what a step may do -------------------------------------------------------- */

#define BIT(err) (1u << -(err))

/* What an open batch has unmapped in [lo, hi): leaves; or (any) tables that died, too. */
static bool pending(const struct world *w, uint64_t lo, uint64_t hi, bool any)
{
	const struct flat_run *r;

	for (uint64_t at = lo; (r = flat_at(&w->flat, at)) && r->ipa < hi; at = r->end)
		if (r->busy > FLAT_PARKED && (any || r->pa))
			return true;
	for (unsigned i = 0; any && i < w->batched.n; i++)
		if (w->batched.range[i].lo < hi && lo < w->batched.range[i].hi)
			return true;
	return false;
}

/* The errors by which a mode that there is none of is refused, whatever is mapped. */
static void refusals(const struct world *w, struct call *c)
{
	const struct kind *k = c->kind;
	bool budget = c->op.max_entries || c->op.max_bytes;
	bool shared = c->flags & S2_SHARED;
	uint32_t must = 0, may = 0;

	c->must = c->may = 0;
	/* To open a batch takes no op. */
	if (k->flushes && !w->batched.open)
		return;
	if (c->op.max_entries && c->op.max_entries < S2_BUDGET_ENTRIES_MIN)
		must |= BIT(S2_E_BUDGET);
	if (c->op.max_bytes && c->op.max_bytes < S2_BUDGET_BYTES_MIN)
		must |= BIT(S2_E_BUDGET);
	if (!shared && k->tables && c->op.max_entries &&
	    c->op.max_entries < k->tables * (w->page / 8))
		must |= BIT(S2_E_BUDGET);
	if (shared && budget)
		must |= BIT(S2_E_BUDGET);
	if (shared && (c->op.dirty || c->flags & S2_KEEP_NOTES) &&
	    (k->note == NOTE_DROPS || k->note == NOTE_MAPS))
		must |= BIT(S2_E_FLAGS);
	if (shared && (c->flags & S2_MAP_CONT || w->s2.special & S2_RUNS))
		must |= BIT(S2_E_FLAGS);
	if (shared && w->batched.open)
		must |= BIT(S2_E_BATCH);
	if (c->op.batch && k->note != NOTE_DROPS && !k->point)
		must |= BIT(S2_E_BATCH);
	if ((k->flushes || (c->op.batch && !k->point)) && budget)
		must |= BIT(S2_E_BUDGET);
	if (k->changes && w->batched.open && !c->op.batch) {
		if (pending(w, c->lo, c->hi, true))
			may |= BIT(S2_E_BATCH);
		if (pending(w, c->ipa, c->ipa + c->size, false)) {
			/* A fault waits as it does for anything busy. */
			if (k->point)
				must |= BIT(S2_E_BATCH) | BIT(S2_E_BUSY);
			else
				must |= BIT(S2_E_BATCH);
		}
	}
	/* What is wrong apart from that may be said first. */
	if (must || may)
		may |= k->errors;
	c->must = must;
	c->may = must | may;
}

/*
 * What the call is not done with may be as its kind says; what it parks, only one leaf.
 */
struct rest {
	const struct world *w;
	const struct call *c;
	bool error;	 /* it has ended with one */
	bool parts;	 /* it may go below tables of which the reference does not know */
	uint64_t parked; /* as in struct call */
};

/* The leaf that an earlier step of this call has parked, if it still is. */
static bool own_parked(const struct world *w, const struct call *c, uint64_t *lo,
		       uint64_t *hi)
{
	const struct flat_run *r = c->parked ? flat_at(&w->flat, c->parked - 1) : NULL;
	uint64_t size;

	if (!r || r->ipa >= c->parked || r->busy != FLAT_PARKED)
		return false;
	size = flat_leaf_size(&w->flat, r->level);
	*lo = (c->parked - 1) & ~(size - 1);
	*hi = *lo + size;
	return true;
}

/* That leaf is cleaned and released before the step does anything that can fail. */
static void finish_parked(struct world *w, struct call *c)
{
	uint64_t lo, hi;

	if (own_parked(w, c, &lo, &hi))
		flat_drop(&w->flat, lo, hi);
	c->parked = 0;
}

/* A block that was broken, and of which the step could not clean everything. */
static bool may_park(const struct rest *r, const struct flat_run *old,
		     const struct flat_run *now)
{
	const struct call *c = r->c;
	uint64_t size;

	if (old->busy || old->level == FLAT_NOTHING || !c->op.max_bytes ||
	    !(c->kind->flags & S2_DROP_EDGES) || c->flags & S2_NO_CLEAN)
		return false;
	size = flat_leaf_size(&r->w->flat, old->level);
	if (!flat_weak(&r->w->flat, old->attr) || size <= c->op.max_bytes ||
	    now->end - now->ipa > size)
		return false;
	/* The last that the step has broken; a map's window begins before it. */
	return c->flags & S2_MAP_REPLACE ||
	       (c->done >= (now->ipa & ~(size - 1)) && c->done <= now->end);
}

/* After a step that goes on, or an error. */
static bool rest_allowed(const struct flat_run *old, const struct flat_run *now,
			 void *arg)
{
	struct rest *r = arg;
	const struct call *c = r->c;
	uint64_t lo, hi;

	if (c->op.batch && now->busy && !old->busy)
		return true;
	if (r->parts && flat_part(old, now))
		return true;
	if (now->busy && !old->busy) {
		if (r->parked || r->error || !may_park(r, old, now))
			return false;
		r->parked = now->ipa + 1;
		return true;
	}
	/* A step begins with the leaf that the last one has parked. */
	if (own_parked(r->w, c, &lo, &hi) && lo <= old->ipa && old->end <= hi)
		return !now->busy && now->level == FLAT_NOTHING;
	/* Edges are split before anything can fail. */
	if (c->flags & S2_SPLIT_EDGES && c->kind->flags & S2_DROP_EDGES &&
	    flat_part(old, now))
		return true;
	/* Under the lock the rest has been looked at before anything was changed. */
	if (r->error && c->kind->note && !(c->flags & S2_SHARED))
		return false;
	return c->kind->rest && c->kind->rest(old, now, c);
}

/* In a batch what is unmapped stays busy, with tables that have died. */
static bool batch_allowed(const struct flat_run *old, const struct flat_run *now,
			  void *arg)
{
	(void)arg;
	return now->busy && !old->busy && old->level == FLAT_NOTHING;
}

static bool in_parts(const struct flat_run *old, const struct flat_run *now, void *arg)
{
	(void)arg;
	return flat_part(old, now);
}

static bool flushed(const struct flat_run *old, const struct flat_run *now, void *arg)
{
	(void)arg;
	return old->busy > FLAT_PARKED && !now->busy && now->level == FLAT_NOTHING;
}

/* ---- checks of one step ----------------------------------------------------------- */

/* Others under way in [lo, hi) find something else there now. */
static void mix(struct world *w, const struct call *c)
{
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		struct call *o = &w->slot[i];

		if (o != c && o->more && c->kind->changes && o->ipa < c->to &&
		    c->from < o->ipa + o->size)
			o->mixed = true;
	}
}

static bool check_result(struct world *w, const struct call *c, int ret)
{
	if (c->op.max_entries && c->op.visited > c->op.max_entries && ret >= 0)
		return world_wrong(w, "%s visits more than its budget", c->kind->name);
	if (c->op.max_bytes && c->op.cleaned > c->op.max_bytes && ret >= 0)
		return world_wrong(w, "%s cleans more than its budget", c->kind->name);
	if (ret > S2_MORE || (ret < 0 && !(c->kind->errors & BIT(ret))))
		return world_wrong(w, "%s returns %s", c->kind->name, world_result(ret));
	/* Another operation may go on while the allocations for this one fail. */
	if (ret == S2_E_NOMEM && !c->failing && !rig_failing())
		return world_wrong(w, "%s finds no memory, but there is some",
				   c->kind->name);
	if (ret == S2_MORE && !c->op.max_entries && !c->op.max_bytes)
		return world_wrong(w, "%s wants more steps without a budget",
				   c->kind->name);
	return true;
}

static bool check_cost(struct world *w, const struct call *c, bool empty,
		       struct rig_cost before)
{
	struct rig_cost after = rig_cost();
	uint64_t dsb = after.dsb - before.dsb, tlbi = after.tlbi - before.tlbi;
	/* A run that is cut at either edge has an invalidation of its own. */
	unsigned n = c->cut ? 3 : 1;
	/* The cleans of leaves that were parked are completed one by one. */
	unsigned parked = flat_busy(&w->before, c->from, c->to) ? WORLD_SLOTS : 0;

	if (!c->kind->bounded)
		return true;
	if (empty && (dsb || tlbi))
		return world_wrong(w, "an empty unmap costs a TLBI or a DSB");
	if (!(c->flags & S2_SPLIT_EDGES) && !c->op.max_entries && !c->op.max_bytes &&
	    (dsb > DSB_MOST * n + parked || tlbi > TLBI_MOST * n))
		return world_wrong(w, "an unmap costs more than the constant");
	return true;
}

/* What is cleaned is what has to be, to the byte. */
static bool check_cleaned(struct world *w, struct call *c, uint64_t from, uint64_t to,
			  uint64_t cleaned)
{
	struct batched *b = &w->batched;
	uint64_t least = 0, most = 0;

	/* What is only made visible to instruction fetch counts, too. */
	if (c->with_op && !c->kind->point &&
	    (c->kind->note == NOTE_MAPS && c->attr & S2_X ? c->op.cleaned < cleaned :
							    c->op.cleaned != cleaned))
		return world_wrong(w,
				   "%s says that it has cleaned 0x%" PRIx64
				   " bytes, but it was 0x%" PRIx64,
				   c->kind->name, c->op.cleaned, cleaned);
	if (c->kind->cleans)
		most = c->kind->cleans(w, c, from, to, &least);
	if (c->op.batch || c->kind->flushes) {
		/* The flush does it, or a call that flushes early. */
		b->due += least;
		b->more += most - least;
		b->cleaned += cleaned;
		if (b->cleaned > b->due + b->more)
			return world_wrong(w, "the batch cleans what was waived");
		return true;
	}
	if (cleaned < least || cleaned > most)
		return world_wrong(w,
				   "%s cleans 0x%" PRIx64 " bytes, not 0x%" PRIx64
				   " to 0x%" PRIx64,
				   c->kind->name, cleaned, least, most);
	return true;
}

/* The outputs of its op. */
static bool check_op(struct world *w, const struct call *c, int ret, uint64_t from)
{
	uint64_t end = c->ipa + c->size;

	if (!c->with_op || c->kind->point)
		return true;
	if (ret == S2_MORE ? c->done < from || c->done > end :
			     !ret && c->op.done.ipa != end)
		return world_wrong(w, "%s: op->done is 0x%" PRIx64, c->kind->name,
				   c->op.done.ipa);
	if (c->kind->bounded && !ret &&
	    (c->op.start.ipa != c->start || c->op.end.ipa != c->end))
		return world_wrong(w,
				   "%s: op->start and end are 0x%" PRIx64
				   " and 0x%" PRIx64 ", not 0x%" PRIx64 " and 0x%" PRIx64,
				   c->kind->name, c->op.start.ipa, c->op.end.ipa,
				   c->start, c->end);
	return true;
}

static bool check_survey(struct world *w, const struct call *c)
{
	const struct s2_survey *v = &c->found, *r = &c->there;

	for (unsigned l = 0; l < S2_LEVELS; l++)
		if (v->leaves[l] != r->leaves[l])
			return world_wrong(w, "%s: 0x%" PRIx64 " bytes at level %u",
					   c->kind->name, v->leaves[l], l);
	if (v->mapped != r->mapped || v->busy != r->busy)
		return world_wrong(w,
				   "%s: 0x%" PRIx64 " bytes mapped, 0x%" PRIx64
				   " busy, not 0x%" PRIx64 " and 0x%" PRIx64,
				   c->kind->name, v->mapped, v->busy, r->mapped, r->busy);
	if (v->all != r->all || v->any != r->any)
		return world_wrong(w, "%s: attributes 0x%x to 0x%x, not 0x%x to 0x%x",
				   c->kind->name, v->all, v->any, r->all, r->any);
	return true;
}

static bool check_outputs(struct world *w, const struct call *c)
{
	if (c->young != c->was_young)
		return world_wrong(w, "%s says %d, the reference %d", c->kind->name,
				   c->young, c->was_young);
	return check_survey(w, c);
}

static bool check_wrong(struct world *w)
{
	const char *what = rig_wrong();

	return !w->wrong[0] && (!what || world_wrong(w, "%s", what));
}

static bool check_beside(struct world *w, const struct call *c, int ret, uint64_t from)
{
	const char *what = NULL;

	if (c->log)
		what = log_after(c->log, &w->flat);
	if (what)
		return world_wrong(w, "%s: %s", c->kind->name, what);
	return notes_step(w, c, from, c->done) && runs_step(w, c, !ret && from == c->ipa);
}

/* ---- a step against the reference -------------------------------------------------- */

/* The reference has nothing, but the engine something busy: grow [from, to) to it. */
static void widen(struct world *w, struct call *c)
{
	struct s2_mapping m;

	flat_extent(&w->flat, &c->from, &c->to);
	if (!w->batched.open)
		return;
	if (!s2_lookup(&w->s2, s2_ipa(c->from), &m) && m.state == S2_BUSY)
		c->from = m.ipa.ipa;
	if (!s2_lookup(&w->s2, s2_ipa(c->to - 1), &m) && m.state == S2_BUSY)
		c->to = m.ipa.ipa + m.size;
}

static bool same_as_before(struct world *w, struct call *c, int ret)
{
	const char *what =
		flat_check(&w->flat, &w->s2, c->from, c->to, NULL, NULL, FLAT_LIVE);

	return !what || world_wrong(w, "%s, refused with %s: %s", c->kind->name,
				    world_result(ret), what);
}

/* Others may leave tables that are empty as far as they have come. */
static bool others_go_on(const struct world *w, const struct call *c)
{
	bool more = flat_busy(&w->flat, c->lo, c->hi) || w->batched.open;

	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		more |= &w->slot[i] != c && w->slot[i].more;
	return more;
}

/* An error that the reference gives for what is not done, or has no say in. */
static bool check_error(struct world *w, struct call *c, int ret, uint64_t to)
{
	static struct flat then;
	int want;

	if (ret == S2_E_NOMEM)
		return true;
	/* No block over a table of annotations, or several levels of empty ones. */
	if (ret == S2_E_EXIST && (c->noted || others_go_on(w, c)))
		return true;
	/* A leaf that is parked, or a table that another has emptied so far. */
	if (ret == S2_E_BUSY && c->flags & S2_SHARED && others_go_on(w, c))
		return true;
	flat_copy(&then, &w->flat);
	want = c->kind->apply(&then, c, to, c->ipa + c->size);
	return want == ret ||
	       world_wrong(w, "%s returns %s, the reference %s", c->kind->name,
			   world_result(ret), world_result(want));
}

/* What the step says it has done is done, and all else is as it was. */
static bool follow(struct world *w, struct call *c, int ret, uint64_t from, uint64_t to)
{
	/* Tables of annotations, or those that others have left empty. */
	struct rest rest = { .w = w,
			     .c = c,
			     .error = ret < 0,
			     .parts = c->kind->note == NOTE_MAPS &&
				      !(c->flags & S2_MAP_REPLACE) &&
				      (c->noted || others_go_on(w, c)) };
	enum flat_busy busy = FLAT_PARKED;
	flat_judge *ok = rest_allowed;
	const char *what;
	uint64_t lo, hi;
	int err = 0;

	if (ret < 0)
		finish_parked(w, c);
	if (ret >= 0 || to > from)
		err = c->kind->apply(&w->flat, c, from, to);
	if (err && ret >= 0)
		return world_wrong(w, "%s returns %s, the reference %s", c->kind->name,
				   world_result(ret), world_result(err));
	if (ret < 0 && !check_error(w, c, ret, to))
		return false;
	c->done = to;
	if (c->op.batch) {
		busy = c->flags & S2_NO_CLEAN ? FLAT_WAIVED : FLAT_PENDING;
		ok = ret ? rest_allowed : batch_allowed;
	} else if (!ret && rest.parts) {
		ok = in_parts;
	} else if (!ret && !(c->kind->tables && c->mixed)) {
		ok = NULL;
	}
	if (!c->kind->flushes)
		widen(w, c);
	what = flat_check(&w->flat, &w->s2, c->from, c->to, ok, &rest, busy);
	if (rest.parked || !own_parked(w, c, &lo, &hi))
		c->parked = rest.parked;
	return !what || world_wrong(w, "%s: %s", c->kind->name, what);
}

/* What a batch was to unmap is gone, by this flush or by a call that flushed early. */
static bool batch_finished(struct world *w, bool flush)
{
	struct batched *b = &w->batched;
	const struct flat_run *r;
	const char *what = NULL;
	bool left = false;

	for (uint64_t at = 0; !what && (r = flat_at(&w->flat, at));) {
		struct flat_run p = *r;

		at = p.end;
		if (p.busy <= FLAT_PARKED)
			continue;
		what = flat_check(&w->flat, &w->s2, p.ipa, at, flushed, NULL,
				  FLAT_PENDING);
		if (flat_busy(&w->flat, p.ipa, at))
			left = true;
		else if (!what)
			rig_unmapped(p.ipa, at - p.ipa, p.busy == FLAT_PENDING, true);
	}
	if (what)
		return world_wrong(w, "flush: %s", what);
	if (left)
		return !flush || world_wrong(w, "the flush leaves something busy");
	if (b->cleaned < b->due)
		return world_wrong(w,
				   "the batch has cleaned 0x%" PRIx64
				   " bytes, not 0x%" PRIx64,
				   b->cleaned, b->due);
	b->due = b->more = b->cleaned = 0;
	b->n = 0;
	return true;
}

static void join_batch(struct world *w, const struct call *c)
{
	struct batched *b = &w->batched;

	b->range[b->n].lo = c->start;
	b->range[b->n++].hi = c->end;
}

/* The leaves at the edges that go with the range, as far as it is not done. */
static void place(struct world *w, struct call *c)
{
	c->lo = c->ipa;
	c->hi = c->ipa + c->size;
	runs_widen_call(w, &c->lo, &c->hi);
	c->cut = c->lo < c->ipa || c->hi > c->ipa + c->size;
	if (c->done > c->ipa) {
		uint64_t at = c->done, hi = at;

		runs_widen_call(w, &at, &hi);
		c->cut |= at < c->done;
	}
	if (!c->kind->whole) {
		c->lo = c->ipa;
		c->hi = c->ipa + c->size;
	}
	flat_extent(&w->flat, &c->lo, &c->hi);
	c->from = c->lo;
	c->to = c->hi;
	if (c->kind->flushes)
		c->from = c->to = c->ipa;
	else
		widen(w, c);
	w->before.n = 0;
	w->before_from = c->from;
	w->before_to = c->to;
	flat_take(&w->before, &w->flat, c->from, c->to);
	c->noted |= flat_any(&w->notes, c->from, c->to);
}

/*
 * A map that drops a block which has come across what it has made makes that again, if it
 * has come to it.
 */
static uint64_t step_start(const struct world *w, const struct call *c, int ret,
			   uint64_t to)
{
	uint64_t from = c->done, end = c->ipa + c->size;

	if (!(c->flags & S2_MAP_REPLACE) || !(c->flags & S2_DROP_EDGES) || from == end ||
	    (ret && to == from))
		return from;
	flat_extent(&w->flat, &from, &end);
	return from > c->ipa ? from : c->ipa;
}

/* How far the operation has come. */
static uint64_t step_end(const struct call *c, int ret)
{
	if (!ret)
		return c->ipa + c->size;
	if (c->kind->point || !c->with_op)
		return c->done;
	if (ret == S2_MORE ||
	    (c->op.done.ipa > c->done && c->op.done.ipa < c->ipa + c->size))
		return c->op.done.ipa;
	return c->done;
}

/* Leaves at the edges that have been broken whole: an unmap says so in its op. */
static void note_edges(const struct world *w, struct call *c, uint64_t from)
{
	uint64_t lo = from, hi = c->ipa + c->size;
	const struct flat_run *r;

	flat_extent(&w->before, &lo, &hi);
	r = flat_at(&w->flat, lo);
	if (flat_straddles(&w->before, from) && lo < c->start &&
	    (!r || r->ipa > lo || r->busy))
		c->start = lo;
	r = flat_at(&w->flat, hi - 1);
	if (flat_straddles(&w->before, c->ipa + c->size) && hi > c->end &&
	    (!r || r->ipa > hi - 1 || r->busy))
		c->end = hi;
}

/* One call of the engine. True as long as the operation goes on. */
static bool step(struct world *w, struct call *c, bool first)
{
	struct rig_cost before = rig_cost();
	uint64_t end = c->ipa + c->size, from, to;
	int ret;

	place(w, c);
	refusals(w, c);
	if (first)
		c->empty = !flat_any(&w->flat, c->lo, c->hi) &&
			   !flat_any(&w->notes, c->lo, c->hi);
	if (first && c->kind->tables) {
		flat_copy(&c->then, &w->flat);
		c->kind->apply(&c->then, c, c->ipa, end);
	}
	if (c->log)
		log_before(c->log, &w->flat);
	rig_call(w->pe, c->kind->name);
	rig_no_clean(c->kind->note == NOTE_MAPS && c->flags & S2_NO_CLEAN);
	rig_waives(c->flags & S2_NO_CLEAN || w->batched.open);
	ret = c->kind->run(w, c);
	rig_no_clean(false);
	w->tally->calls++;
	w->tally->result[c->kind - kinds][1 - ret]++;
	world_print_call(w, c, ret);
	if (c->must && (ret >= 0 || !(c->may & BIT(ret))))
		return world_wrong(w, "%s is not refused, but returns %s", c->kind->name,
				   world_result(ret));
	c->blocked = false;
	if (ret == S2_E_BATCH && !c->must && c->with_op && c->op.done.ipa > c->done) {
		/* It has come to what a batch has unmapped, and goes on after a flush. */
		c->blocked = true;
		ret = S2_MORE;
	}
	if (ret < 0 && c->may & BIT(ret) && (c->must || !(c->kind->errors & BIT(ret)))) {
		c->more = !first && (ret == S2_E_BATCH || ret == S2_E_BUDGET);
		c->blocked = c->more;
		if (!c->must)
			finish_parked(w, c);
		same_as_before(w, c, ret);
		check_wrong(w);
		return c->more && !w->wrong[0];
	}
	to = step_end(c, ret);
	from = step_start(w, c, ret, to);
	if (c->kind->whole && !c->kind->point) {
		c->lo = from;
		c->hi = to;
		runs_widen_call(w, &c->lo, &c->hi);
	}
	c->more = ret == S2_MORE;
	if (!check_result(w, c, ret) ||
	    !check_cost(w, c, first && c->empty && !others_go_on(w, c), before) ||
	    !follow(w, c, ret, from, to))
		return false;
	note_edges(w, c, from);
	if (!check_op(w, c, ret, from) ||
	    !check_cleaned(w, c, from, to, rig_cost().cleaned - before.cleaned) ||
	    (ret >= 0 && !check_outputs(w, c)) || !check_beside(w, c, ret, from))
		return false;
	mix(w, c);
	if (c->op.batch && !ret)
		join_batch(w, c);
	if ((c->op.batch || c->kind->flushes) && !batch_finished(w, c->kind->flushes))
		return false;
	if (c->kind->promise && !c->op.batch)
		c->kind->promise(w, c, from, to);
	for (unsigned i = 0; i < 2 && w->thorough && !w->wrong[0]; i++) {
		const char *what = flat_check(&w->flat, &w->s2, w->region[i],
					      w->region[i] + w->region_size, NULL, NULL,
					      FLAT_LIVE);

		if (what)
			world_wrong(w, "after %s: %s", c->kind->name, what);
	}
	return check_wrong(w) && c->more;
}

static void steps(struct world *w, struct call *c, bool first, unsigned most)
{
	for (unsigned n = 1; step(w, c, first); n++) {
		first = false;
		if (w->wrong[0] || n == most || c->blocked)
			return;
		if (n > STEPS_MOST)
			world_wrong(w, "%s: no end of steps", c->kind->name);
		w->pe ^= n & 1;
	}
}

/* Arguments and resources may not change between steps; nothing comes of it. */
static void resume_other(struct world *w, struct call *c, const uint8_t *r)
{
	struct call kept = *c;
	int ret;

	switch (r[2] & 7) {
	case 0:
		c->size += w->page;
		break;
	case 1:
		c->ipa += w->page;
		break;
	case 2:
		if (c->kind->note != NOTE_MAPS)
			return;
		c->pa += w->page;
		break;
	case 3:
		c->op.limbo = c->op.limbo ? NULL : &w->limbo[0];
		break;
	case 4:
		if (!(c->kind->flags & S2_NO_CLEAN) ||
		    (c->kind->note == NOTE_SETS && !c->flags))
			return;
		c->flags ^= S2_NO_CLEAN;
		break;
	default:
		return;
	}
	if (c->kind->point || !c->with_op || c->kind->log == LOG_OWN ||
	    c->ipa + c->size > UINT64_C(1) << w->s2.ipa_bits) {
		*c = kept;
		return;
	}
	rig_call(w->pe, c->kind->name);
	ret = c->kind->run(w, c);
	w->tally->calls++;
	world_print_call(w, c, ret);
	kept.op.st = c->op.st;
	*c = kept;
	place(w, c);
	if (ret != S2_E_RESUME && !(ret == S2_E_BATCH && w->batched.open))
		world_wrong(w, "%s with other arguments returns %s", c->kind->name,
			    world_result(ret));
	else
		same_as_before(w, c, ret);
	check_wrong(w);
}

/* ---- a whole sequence ----------------------------------------------------------- */

/* What settle() does: [ipa, ipa + size). */
static void do_last(struct world *w, const char *name, uint64_t ipa, uint64_t size)
{
	struct call *c = &w->last;
	struct flat then = c->then;

	*c = (struct call){ .kind = kind_of(name),
			    .slot = WORLD_SLOTS,
			    .attr = S2_W,
			    .ipa = ipa,
			    .size = size,
			    .done = ipa,
			    .start = ipa,
			    .end = ipa + size,
			    .limbo = w->walker ? 0 : -1,
			    .with_op = true,
			    .fail_after = -1,
			    .then = then };
	c->op.limbo = w->walker ? &w->limbo[0] : NULL;
	steps(w, c, true, 0);
}

/* The counters, when nothing is under way. */
static const char *check_stats(const struct world *w)
{
	struct rig_cost cost = rig_cost();
	uint64_t tables = 0;
	struct s2_stats st;

	s2_stats(&w->s2, &st);
	for (unsigned l = 0; l < S2_LEVELS; l++)
		tables += st.tables[l];
	if (tables != rig_tables())
		return "s2_stats() counts other tables";
	if (st.tlbis[S2_TLBI_IPAS2E1IS] != cost.by_page ||
	    st.tlbis[S2_TLBI_RIPAS2E1IS] != cost.by_range ||
	    st.tlbis[S2_TLBI_VMALLS12E1IS] != cost.by_vmid)
		return "s2_stats() counts other TLBIs";
	return NULL;
}

/* Finish all that is under way, and compare everything. */
static bool settle(struct world *w)
{
	const struct flat_run *r;
	const char *what;
	uint64_t tables;

	if (w->batched.open && !w->wrong[0])
		do_last(w, "batch", 0, w->page);
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (w->slot[i].more && !w->wrong[0])
			steps(w, &w->slot[i], false, 0);
	/* Of operations that have ended with an error. */
	for (uint64_t at = 0; !w->wrong[0] && (r = flat_at(&w->flat, at));) {
		uint64_t ipa = r->ipa;

		at = r->end;
		if (r->busy)
			do_last(w, "unmap", ipa, at - ipa);
	}
	if (w->wrong[0])
		return false;
	if (w->walker)
		rig_walker(false);
	for (unsigned i = 0; i < WORLD_LIMBOS; i++)
		s2_release(&w->s2, &w->limbo[i], NULL);
	if (w->walker)
		rig_walker(true);
	what = flat_check(&w->flat, &w->s2, 0, UINT64_C(1) << w->s2.ipa_bits, NULL, NULL,
			  FLAT_LIVE);
	/* By the engine's own account, too. */
	for (unsigned i = 0; i < 2 && !what; i++)
		what = flat_iterate(&w->flat, &w->s2, w->region[i],
				    w->region[i] + w->region_size);
	if (!what && !notes_settle(w))
		return false;
	if (!what)
		what = meta_check(&w->s2, &tables);
	if (!what && tables != rig_tables())
		what = "a table page is lost";
	if (!what)
		what = check_stats(w);
	return !what || world_wrong(w, "%s", what);
}

static void one_record(struct world *w, const uint8_t *r)
{
	struct call *c = &w->slot[r[1] % WORLD_SLOTS];
	unsigned most = r[1] & 0x10 ? 1 + (r[1] >> 2 & 3) : 0;

	w->pe = r[1] >> 5 & 1;
	if (c->more) {
		rig_fail_after(-1);
		if (pick_odd(r))
			resume_other(w, c, r);
		else
			pick_budget(w, r, c);
		if (!w->wrong[0])
			steps(w, c, false, most);
		return;
	}
	/* One record in fifty or so. */
	if (r[11] == 0xff || (r[11] == 0xfe && r[10] >= 0xe0)) {
		settle(w);
		return;
	}
	pick_call(w, r, c);
	c->failing = c->fail_after >= 0;
	rig_fail_after(c->fail_after);
	steps(w, c, true, most);
	rig_fail_after(-1);
}

static bool world_close(struct world *w, const uint8_t *h)
{
	struct s2_op op = { 0 };
	int ret;

	if (w->wrong[0] || !settle(w))
		return false;
	if (h[3] & 0x40)
		op.max_entries = S2_BUDGET_ENTRIES_MIN;
	if (w->walker)
		rig_walker(false);
	rig_destroying();
	do {
		rig_call(w->pe ^= 1, "destroy");
		rig_waives(h[3] & 0x80);
		ret = s2_destroy(&w->s2, h[3] & 0x80 ? S2_NO_CLEAN : 0, &op);
		w->tally->calls++;
	} while (ret == S2_MORE);
	if (ret)
		return world_wrong(w, "s2_destroy: %s", s2_strerror(ret));
	if (rig_tables())
		return world_wrong(w, "destroy leaves a table page");
	return check_wrong(w);
}

bool world_run(struct world *w, const uint8_t *bytes, size_t size, const uint8_t *keep,
	       FILE *log)
{
	bool fine;

	if (size < WORLD_HEADER)
		return true;
	fine = world_open(w, bytes, log);
	w->tally->sequences++;
	for (size_t at = WORLD_HEADER; fine && at + WORLD_RECORD <= size;
	     at += WORLD_RECORD, w->record++) {
		if (keep && !keep[w->record])
			continue;
		one_record(w, bytes + at);
		w->tally->records++;
		fine = !w->wrong[0];
	}
	fine = fine && world_close(w, bytes);
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		flat_free(&w->slot[i].then);
		log_free(&w->log[i]);
	}
	flat_free(&w->last.then);
	flat_free(&w->notes);
	flat_free(&w->runs);
	flat_free(&w->before);
	flat_free(&w->flat);
	rig_close();
	return fine;
}
