/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rnd.h"

/* Something must have gone wrong when a record takes more. */
#define STEPS_MOST 500000u
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
	flat_init(&w->notes, &w->s2);
	flat_init(&w->runs, &w->s2);
	w->page = UINT64_C(1) << cfg.granule_shift;
	w->block = flat_leaf_size(&w->flat, 2);
	w->big = reach > 2u * cfg.granule_shift - 3 ? UINT64_C(1) << reach : 0;
	w->region_size = (w->big ? w->big : w->block) * 4;
	w->region[0] = pick_region(w, h[6]);
	w->region[1] = pick_region(w, h[7]);
	for (w->places = 12;
	     w->places * 4 * w->region_size > UINT64_C(1) << (cfg.pa_bits - 1);)
		w->places--;
	w->walker = !(h[5] & 6);
	w->shared = (h[5] >> 3 & 3) % 3;
	w->runs_allowed = !w->shared && h[5] & 0x40;
	w->batched.pages.shift = w->flat.shift;
	if (w->walker)
		rig_walker(true);
	if (w->print)
		fprintf(w->print,
			"/* granule %u, ipa %u, pa %u bits, features 0x%x, errata 0x%x%s%s */\n",
			1u << cfg.granule_shift, cfg.ipa_bits, cfg.pa_bits, cfg.features,
			cfg.errata, h[5] & 1 ? ", another agent" : "",
			w->walker ? ", a walker without the lock" : "");
	return true;
}

/* ---- printing ------------------------------------------------------------------- */

static const char *result_name(int ret)
{
	static const char *const name[] = {
		"S2_MORE", "0",	     "CONFIG", "IPA_BITS",  "PA_BITS",	"UNSUPPORTED",
		"ALIGN",   "SIZE",   "WRAP",   "IPA_RANGE", "PA_RANGE", "ATTR",
		"FLAGS",   "BUDGET", "RESUME", "EXIST",	    "NOENT",	"BUSY",
		"NOMEM",   "BLOCK",  "BATCH"
	};
	unsigned i = (unsigned)(1 - ret);

	return i < sizeof(name) / sizeof(*name) ? name[i] : "?";
}

static void print_flags(FILE *f, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} all[] = {
		{ S2_MAP_PAGES, "S2_MAP_PAGES" },   { S2_MAP_REPLACE, "S2_MAP_REPLACE" },
		{ S2_DROP_EDGES, "S2_DROP_EDGES" }, { S2_SPLIT_EDGES, "S2_SPLIT_EDGES" },
		{ S2_NO_CLEAN, "S2_NO_CLEAN" },	    { S2_CLEAR, "S2_CLEAR" },
		{ S2_SHARED, "S2_SHARED" },	    { S2_KEEP_NOTES, "S2_KEEP_NOTES" },
		{ S2_MAP_CONT, "S2_MAP_CONT" }
	};
	const char *sep = ", ";

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (flags & all[i].flag) {
			fprintf(f, "%s%s", sep, all[i].name);
			sep = " | ";
		}
}

static void print_call(struct world *w, const struct call *c, int ret)
{
	FILE *f = w->print;

	if (!f)
		return;
	/* Of the steps of one record the first and the last. */
	if (w->printed == w->record + 1 && ret == S2_MORE)
		return;
	w->printed = w->record + 1;
	fprintf(f, "s2_%s(s2, 0x%" PRIx64, c->kind->name, c->ipa);
	if (c->kind->flags & S2_MAP_REPLACE)
		fprintf(f, ", 0x%" PRIx64, c->pa);
	if (!c->kind->point)
		fprintf(f, ", 0x%" PRIx64, c->size);
	fprintf(f, ", attr 0x%x", c->attr);
	fprintf(f, ", note %u", c->note);
	print_flags(f, c->flags);
	if (c->log)
		fprintf(f, ", log 0x%" PRIx64 " 0x%" PRIx64, c->log->dirty.ipa.ipa,
			c->log->dirty.size);
	if (c->with_op)
		fprintf(f, ", op[%u]", c->slot);
	fprintf(f, "); /* %u: PE%u", w->record, w->pe);
	if (c->op.max_entries)
		fprintf(f, ", entries %u", c->op.max_entries);
	if (c->op.max_bytes)
		fprintf(f, ", bytes 0x%" PRIx64, c->op.max_bytes);
	if (c->limbo >= 0)
		fprintf(f, ", limbo %d", c->limbo);
	if (c->fail_after >= 0)
		fprintf(f, ", allocation %ld fails", c->fail_after);
	fprintf(f, ": %s */\n", result_name(ret));
}

/* ---- steps ---------------------------------------------------------------------- */

/* What is busy may end, if it is not the range of who broke it. */
static bool finished(const struct flat_run *old, const struct flat_run *now, void *arg)
{
	const struct batched *b = arg;

	return old->busy && !now->busy &&
	       (now->level == FLAT_NOTHING || flat_has(&b->pages, now));
}

static bool allowed(const struct flat_run *old, const struct flat_run *now, void *arg)
{
	const struct call *c = arg;

	if (c->batched && finished(old, now, (void *)(uintptr_t)c->batched))
		return true;
	return c->kind->allowed && c->kind->allowed(old, now, c);
}

/* A map that found no memory may have split the edges before. */
static bool allowed_nomem(const struct flat_run *old, const struct flat_run *now,
			  void *arg)
{
	const struct call *c = arg;

	return c->kind->flags & S2_MAP_REPLACE && c->flags & S2_SPLIT_EDGES &&
	       flat_part(old, now);
}

/* A collapse looks a table through so often again when a call has come in between. */
#define LOOKS 4u

/* Others under way in [lo, hi) may find something else now. */
static void disturb(struct world *w, const struct call *c, uint64_t lo, uint64_t hi)
{
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		struct call *o = &w->slot[i];

		if (o == c || !o->more)
			continue;
		if (c->kind->allowed && o->from < hi && lo < o->to)
			o->disturbed = true;
		/* One that is only partly in o's range is then in it with a part. */
		o->opened |= w->noted && c->kind->note;
		if (o->kind->tables && ++o->spoilt > LOOKS)
			o->disturbed = true;
	}
}

/*
 * What the engine has is taken over where the reference cannot know it: between
 * steps, after an error in a later one, where others were in between.
 */
static bool adopt(struct world *w, struct call *c, flat_judge *ok)
{
	uint64_t from = c->from, to = c->to;
	struct s2_mapping m;
	const char *what;

	if (!s2_lookup(&w->s2, s2_ipa(c->lo), &m) && m.state == S2_BUSY &&
	    m.ipa.ipa < c->from)
		c->from = m.ipa.ipa;
	if (!s2_lookup(&w->s2, s2_ipa(c->hi - 1), &m) && m.state == S2_BUSY &&
	    m.ipa.ipa + m.size > c->to)
		c->to = m.ipa.ipa + m.size;
	/* A table that died with the range is more than the range. */
	if (c->from < from || c->to > to)
		disturb(w, c, c->from, c->to);
	what = flat_check(&w->flat, &w->s2, c->from, c->to, ok, c, true);
	return !what || world_wrong(w, "%s: %s", c->kind->name, what);
}

/*
 * A table that dies with its last leaf takes along what is busy in it, outside the
 * range too: that is finished with it.
 */
static bool adopt_finished(struct world *w, const struct call *c)
{
	const struct flat_run *r;
	const char *what = NULL;

	if (!(c->kind->flags & S2_DROP_EDGES) && c->kind->note != NOTE_SETS &&
	    !w->batched.n)
		return true;
	for (uint64_t at = 0; !what && (r = flat_at(&w->flat, at));) {
		uint64_t ipa = r->ipa;

		at = r->end;
		if (!r->busy || (ipa >= c->from && at <= c->to))
			continue;
		what = flat_check(&w->flat, &w->s2, ipa, at, finished, &w->batched, true);
		if (!flat_busy(&w->flat, ipa, at))
			disturb(w, c, ipa, at);
	}
	return !what || world_wrong(w, "%s: %s", c->kind->name, what);
}

/* What was adopted is what the operation promises. */
static bool check_done(struct world *w, const struct call *c)
{
	for (uint64_t at = c->ipa; c->kind->done && at < c->ipa + c->size;) {
		const struct flat_run *r = flat_at(&w->flat, at);
		struct flat_run p = { .ipa = at,
				      .end = c->ipa + c->size,
				      .level = FLAT_NOTHING };

		if (r && r->ipa <= at)
			p = *r;
		else if (r && r->ipa < p.end)
			p.end = r->ipa;
		if (!c->kind->done(&p, c))
			return world_wrong(w, "%s: 0x%" PRIx64 " is not as it should be",
					   c->kind->name, at);
		at = p.end;
	}
	return true;
}

static bool check_result(struct world *w, const struct call *c, int ret)
{
	if (c->op.max_entries && c->op.visited > c->op.max_entries && ret >= 0)
		return world_wrong(w, "%s visits more than its budget", c->kind->name);
	if (c->op.max_bytes && c->op.cleaned > c->op.max_bytes && ret >= 0)
		return world_wrong(w, "%s cleans more than its budget", c->kind->name);
	/* What the batch is splitting is not to be touched. */
	if (ret == S2_E_BATCH && w->batched.pages.n)
		return true;
	if (ret > S2_MORE || (ret < 0 && !(c->kind->errors & 1u << -ret)))
		return world_wrong(w, "%s returns %s", c->kind->name, result_name(ret));
	/* Another operation may go on while the allocations for this one fail. */
	if (ret == S2_E_NOMEM && !c->failing && !rig_failing())
		return world_wrong(w, "%s finds no memory, but there is some",
				   c->kind->name);
	if (ret == S2_MORE && !c->op.max_entries && !c->op.max_bytes &&
	    !(c->flags & S2_SHARED && w->flat.under_way) && !c->kind->flushes)
		return world_wrong(w, "%s wants more steps without a budget",
				   c->kind->name);
	return true;
}

static bool check_cost(struct world *w, const struct call *c, bool empty,
		       struct rig_cost before)
{
	struct rig_cost after = rig_cost();
	uint64_t dsb = after.dsb - before.dsb, tlbi = after.tlbi - before.tlbi;

	if (!c->kind->bounded)
		return true;
	if (empty && (dsb || tlbi))
		return world_wrong(w, "an empty unmap costs a TLBI or a DSB");
	if (!(c->flags & S2_SPLIT_EDGES) && !c->op.max_entries && !c->op.max_bytes &&
	    (dsb > DSB_MOST << c->cut || tlbi > TLBI_MOST << c->cut))
		return world_wrong(w, "an unmap costs more than the constant");
	return true;
}

static bool check_young(struct world *w, const struct call *c)
{
	return c->young == c->was_young ||
	       world_wrong(w, "%s says %d, the reference %d", c->kind->name, c->young,
			   c->was_young);
}

static bool check_expected(struct world *w, const struct call *c, int ret)
{
	return ret == c->expected ||
	       world_wrong(w, "%s returns %s, the reference %s", c->kind->name,
			   result_name(ret), result_name(c->expected));
}

/* The first call of an operation is also its last. */
static bool end_at_once(struct world *w, struct call *c, int ret)
{
	/*
	 * No block over a table of annotations, or over tables that an operation which
	 * has not come to its end has emptied.
	 */
	if (ret == S2_E_BATCH || (ret == S2_E_EXIST && (c->noted || w->flat.under_way)))
		return adopt(w, c, allowed);
	if (ret == S2_E_NOMEM)
		return adopt(w, c, c->op.max_entries ? allowed : allowed_nomem);
	if (ret < 0 && (c->op.max_entries || c->flags & S2_SHARED)) {
		/* The windows, or entries, before the refused one are mapped. */
		flat_copy(&c->then, &w->flat);
		c->expected = c->kind->apply(&c->then, c);
		return check_expected(w, c, ret) && adopt(w, c, allowed);
	}
	if (c->op.batch) {
		flat_copy(&c->then, &w->flat);
		c->expected = c->kind->apply(&c->then, c);
		return check_expected(w, c, ret) && adopt(w, c, allowed) &&
		       (ret || (check_done(w, c) && check_young(w, c)));
	}
	c->expected = c->kind->apply(&w->flat, c);
	return check_expected(w, c, ret) && (ret || check_young(w, c));
}

static bool end_later(struct world *w, struct call *c, int ret)
{
	const char *what;

	if (c->disturbed || c->busy || c->op.batch || ret == S2_E_BATCH)
		return adopt(w, c, allowed) && (ret || check_done(w, c));
	if (ret == S2_E_NOMEM || (ret == S2_E_EXIST && (c->noted || w->flat.under_way)))
		return adopt(w, c, allowed);
	if (!check_expected(w, c, ret))
		return false;
	if (ret)
		return adopt(w, c, allowed);
	/* Beside the range, in tables that died, others' markers may be finished. */
	flat_take(&w->flat, &c->then, c->lo, c->hi);
	what = flat_check(&w->flat, &w->s2, c->from, c->to, finished, &w->batched, true);
	if (what)
		return world_wrong(w, "%s: %s", c->kind->name, what);
	return check_young(w, c);
}

/* The first frame in the range, whose next owner is told. */
static uint64_t frame_in(const struct world *w, const struct call *c)
{
	const struct flat_run *r = flat_at(&w->flat, c->ipa);

	if (!r || r->busy || r->ipa >= c->ipa + c->size)
		return 0;
	return r->ipa > c->ipa ? r->pa : r->pa + (c->ipa - r->ipa);
}

static bool check_wrong(struct world *w)
{
	const char *what = rig_wrong();

	return !w->wrong[0] && (!what || world_wrong(w, "%s", what));
}

/* What a batched call will have done when the batch is flushed. */
static void join_batch(struct world *w, struct call *c)
{
	struct batched *b = &w->batched;

	/* The engine has as many ranges, and flushes then. */
	if (b->n < S2_BATCH_RANGES) {
		b->range[b->n].kind = c->kind;
		b->range[b->n].lo = c->ipa;
		b->range[b->n++].hi = c->ipa + c->size;
	}
	if (c->kind->bounded || !c->kind->most)
		return;
	flat_copy(&b->then, &w->flat);
	/* Of a block that the batch is splitting already, what becomes of it. */
	for (uint64_t at = c->from; at < c->to;) {
		const struct flat_run *r = flat_at(&w->flat, at);

		if (!r)
			break;
		at = r->end;
		if (r->busy)
			flat_overlay(&b->then, &b->pages, r->ipa, r->end);
	}
	c->kind->apply(&b->then, c);
}

/* ... unless it was refused. */
static void keep_pages(struct world *w, const struct call *c, int ret)
{
	struct batched *b = &w->batched;

	if (!c->kind->bounded && c->kind->most && ret != S2_E_BATCH)
		flat_overlay(&b->pages, &b->then, c->from, c->to);
}

static bool check_beside(struct world *w, const struct call *c, int ret)
{
	const char *what = NULL;

	if (c->log)
		what = log_after(c->log, &w->flat);
	if (what)
		return world_wrong(w, "%s: %s", c->kind->name, what);
	return notes_step(w, c, ret) && runs_step(w, c, ret);
}

/* One call of the engine. True as long as the operation goes on. */
static bool step(struct world *w, struct call *c, bool first)
{
	bool others = w->flat.under_way || w->batched.open || w->given_up;
	bool busy = first && flat_busy(&w->flat, c->lo, c->hi);
	struct rig_cost before = rig_cost();
	int ret;

	/* Others may have mapped a larger block in the meantime. */
	flat_extent(&w->flat, &c->from, &c->to);
	if (first) {
		c->frame = frame_in(w, c);
		c->empty = !flat_any(&w->flat, c->lo, c->hi) &&
			   !flat_any(&w->notes, c->lo, c->hi);
	}
	if (c->op.batch)
		join_batch(w, c);
	w->batched.waived |= w->batched.open && c->flags & S2_NO_CLEAN;
	c->noted |= flat_any(&w->notes, c->from, c->to);
	if (c->log)
		log_before(c->log, &w->flat);
	rig_call(w->pe, c->kind->name);
	/*
	 * Others may have given frames back that a map was about to install: that
	 * they are not, or are cleaned again, is then the embedder's to see to.
	 */
	rig_no_clean(c->kind->flags & S2_MAP_REPLACE &&
		     (c->flags & S2_NO_CLEAN || c->disturbed));
	ret = c->kind->run(w, c);
	rig_no_clean(false);
	w->tally->calls++;
	w->tally->result[c->kind - kinds][1 - ret]++;
	print_call(w, c, ret);
	if (c->op.batch)
		keep_pages(w, c, ret);
	if (!check_result(w, c, ret) ||
	    !check_cost(w, c, first && c->empty && !others, before))
		return false;
	if (first && (ret == S2_MORE || busy)) {
		flat_copy(&c->then, &w->flat);
		c->expected = c->kind->apply(&c->then, c);
		flat_begin(&w->flat, c->slot);
		c->busy = busy;
	}
	/* It goes on when the batch has been flushed. */
	c->blocked = ret == S2_E_BATCH && !first;
	c->more = ret == S2_MORE || c->blocked;
	c->gave_up = !first && ret < 0 && !c->more;
	w->given_up |= c->gave_up && !c->kind->bounded;
	disturb(w, c, c->from, c->to);
	/* Frames that the batch gives back are others' from now on. */
	for (unsigned i = 0; c->kind->flushes && i < w->batched.n; i++)
		disturb(w, c, w->batched.range[i].lo, w->batched.range[i].hi);
	if (c->more)
		return adopt(w, c, allowed) && check_beside(w, c, ret) &&
		       adopt_finished(w, c) && check_wrong(w);
	if (first && !busy)
		end_at_once(w, c, ret);
	else
		end_later(w, c, ret);
	if (!w->wrong[0] && check_beside(w, c, ret))
		adopt_finished(w, c);
	w->flat.under_way &= (uint8_t) ~(1u << c->slot);
	if (!w->wrong[0] && !ret && c->kind->promise && !c->op.batch)
		c->kind->promise(w, c);
	for (unsigned i = 0; i < 2 && w->thorough && !w->wrong[0]; i++) {
		const char *what = flat_check(&w->flat, &w->s2, w->region[i],
					      w->region[i] + w->region_size, NULL, NULL,
					      false);

		if (what)
			world_wrong(w, "after %s: %s", c->kind->name, what);
	}
	check_wrong(w);
	return false;
}

/*
 * An unmap that an edge or the want of memory ends in a later step leaves tables in
 * which it had got as far as nothing: whoever began it takes another way to its end.
 */
static bool begin_again(struct world *w, struct call *c)
{
	if (w->wrong[0] || !c->gave_up || !c->kind->bounded)
		return false;
	c->flags = (c->flags & ~S2_SPLIT_EDGES) | S2_DROP_EDGES;
	c->op = (struct s2_op){ .limbo = c->op.limbo, .batch = c->op.batch };
	c->log = NULL;
	c->gave_up = c->disturbed = false;
	c->lo = c->ipa;
	c->hi = c->ipa + c->size;
	flat_extent(&w->flat, &c->lo, &c->hi);
	c->from = c->lo;
	c->to = c->hi;
	return true;
}

static void steps(struct world *w, struct call *c, bool first, unsigned most)
{
	for (unsigned n = 1; step(w, c, first) || begin_again(w, c); n++) {
		first = !c->more;
		if (w->wrong[0] || (n == most && c->more) || c->blocked)
			return;
		if (n > STEPS_MOST)
			world_wrong(w, "%s: no end of steps", c->kind->name);
		w->pe ^= n & 1;
		/* A shared one may wait for others. */
		for (unsigned i = 0; i < WORLD_SLOTS && !(n % 16); i++) {
			struct call *o = &w->slot[i];

			if (o != c && o->more && !w->wrong[0] && !step(w, o, false) &&
			    begin_again(w, o))
				step(w, o, true);
		}
	}
}

/* ---- a whole sequence ----------------------------------------------------------- */

static const struct kind *batch_kind(void)
{
	const struct kind *k = kinds;

	while (!k->flushes)
		k++;
	return k;
}

/* Finish all that is under way, and compare everything. */
static bool settle(struct world *w)
{
	const char *what;
	uint64_t tables;

	/* Those of a batch, the batch, the others. */
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (w->slot[i].more && !w->wrong[0] &&
		    (w->slot[i].op.batch || w->slot[i].kind->flushes))
			steps(w, &w->slot[i], false, 0);
	if (w->batched.open && !w->wrong[0]) {
		struct call *c = &w->last;
		struct flat then = c->then;

		*c = (struct call){ .kind = batch_kind(),
				    .slot = WORLD_SLOTS,
				    .attr = S2_W,
				    .limbo = w->walker ? 0 : -1,
				    .with_op = true,
				    .fail_after = -1,
				    .hi = w->page,
				    .to = w->page,
				    .then = then };
		c->op.limbo = w->walker ? &w->limbo[0] : NULL;
		steps(w, c, true, 0);
	}
	for (unsigned i = 0; i < WORLD_SLOTS; i++)
		if (w->slot[i].more && !w->wrong[0])
			steps(w, &w->slot[i], false, 0);
	if (w->wrong[0])
		return false;
	if (w->walker)
		rig_walker(false);
	for (unsigned i = 0; i < WORLD_LIMBOS; i++)
		s2_release(&w->s2, &w->limbo[i], NULL);
	if (w->walker)
		rig_walker(true);
	what = flat_check(&w->flat, &w->s2, 0, UINT64_C(1) << w->s2.ipa_bits, NULL, NULL,
			  false);
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
	return !what || world_wrong(w, "%s", what);
}

static void one_record(struct world *w, const uint8_t *r)
{
	struct call *c = &w->slot[r[1] % WORLD_SLOTS];
	unsigned most = r[1] & 0x10 ? 1 + (r[1] >> 2 & 3) : 0;

	w->pe = r[1] >> 5 & 1;
	if (c->more) {
		rig_fail_after(-1);
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
	flat_free(&w->batched.pages);
	flat_free(&w->batched.then);
	flat_free(&w->flat);
	rig_close();
	return fine;
}
