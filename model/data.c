/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames: when they were cleaned, and who wrote last, through the cache or past it, for
 * each line of memory. What a cache holds is not simulated. Whoever can write does, so
 * the only question is whether a clean came late enough. (A leaf maps whole frames, but a
 * clean may be of any length.)
 */
#include <stdlib.h>

#include "internal.h"

#define TOP (UINT64_C(1) << 52)
#define SLAB 1024u

/* Frames from pa to the next extent, all with the same state. */
struct extent {
	RB_ENTRY(extent) rb;
	struct extent *prev, *next; /* by address; of a free one: the next free */
	uint64_t pa;
	struct frame f;
};

static int cmp_extent(const struct extent *a, const struct extent *b)
{
	return a->pa < b->pa ? -1 : a->pa > b->pa;
}

RB_PROTOTYPE(extents, extent, rb, cmp_extent)
RB_GENERATE(extents, extent, rb, cmp_extent)

static struct extent *extent_add(struct machine *m, struct extent *after, uint64_t pa)
{
	struct extent *e = m->extent_free;

	if (!e) {
		struct extent *slab = slab_new(m, SLAB * sizeof(*slab));

		for (unsigned i = 0; i < SLAB; i++)
			slab[i].next = i + 1 < SLAB ? &slab[i + 1] : NULL;
		e = slab;
	}
	m->extent_free = e->next;
	*e = (struct extent){ .pa = pa, .next = after ? after->next : NULL };
	e->prev = after;
	if (e->next)
		e->next->prev = e;
	if (after) {
		e->f = after->f;
		after->next = e;
	}
	RB_INSERT(extents, &m->frames, e);
	return e;
}

static bool alike(const struct frame *a, const struct frame *b)
{
	return a->live == b->live && a->recs == b->recs && a->civac == b->civac &&
	       a->clean == b->clean && a->host == b->host && a->ic == b->ic &&
	       a->icache == b->icache && a->guest[BY_CACHE] == b->guest[BY_CACHE] &&
	       a->guest[PAST_CACHE] == b->guest[PAST_CACHE] &&
	       a->guest[EITHER] == b->guest[EITHER];
}

static void extent_remove(struct machine *m, struct extent *e)
{
	RB_REMOVE(extents, &m->frames, e);
	if (e->prev)
		e->prev->next = e->next;
	if (e->next)
		e->next->prev = e->prev;
	if (m->extent_hot == e)
		m->extent_hot = e->prev ? e->prev : e->next;
	e->next = m->extent_free;
	m->extent_free = e;
}

void data_init(struct machine *m)
{
	RB_INIT(&m->frames);
	m->extent_hot = extent_add(m, NULL, 0);
}

void data_free(struct machine *m)
{
	for (unsigned i = 0; i < MAX_PES; i++)
		free(m->pe[i].pend);
}

static uint64_t extent_end(const struct extent *e)
{
	return e->next ? e->next->pa : TOP;
}

/* The extent that contains pa: most often the last one used, or the next. */
static struct extent *extent_find(struct machine *m, uint64_t pa)
{
	struct extent *e = m->extent_hot, *best = e;

	if (pa >= e->pa) {
		if (pa < extent_end(e))
			return e;
		if (pa < extent_end(e->next))
			return m->extent_hot = e->next;
	}
	for (e = RB_ROOT(&m->frames); e;) {
		if (e->pa <= pa) {
			best = e;
			e = RB_RIGHT(e, rb);
		} else {
			e = RB_LEFT(e, rb);
		}
	}
	return m->extent_hot = best;
}

/* Iterates over a range of frames; those with the same state come as one. */
struct frames {
	struct machine *m;
	uint64_t pa, end;
	/* The frames returned last: their address, extent, and (change) new state. */
	uint64_t at;
	struct extent *e;
	struct frame frame;
	bool change;
};

static struct frames frames(struct machine *m, uint64_t pa, uint64_t size, bool change)
{
	uint64_t end = pa + size < TOP && pa + size >= pa ? pa + size : TOP;

	return (struct frames){ .m = m,
				.pa = pa & ~(LINE - 1),
				.change = change,
				.end = (end + LINE - 1) & ~(LINE - 1) };
}

/*
 * Stores the new state of the frames returned last, and joins them to a neighbour with
 * the same state. That is mostly the one before: then only a boundary moves.
 */
static void commit(struct frames *f)
{
	struct extent *e = f->e, *prev = e->prev, *next = e->next;
	bool first = f->at == e->pa, last = f->pa == extent_end(e);

	if (alike(&f->frame, &e->f))
		return;
	if (first && prev && alike(&f->frame, &prev->f)) {
		if (!last) {
			e->pa = f->pa;
			return;
		}
		extent_remove(f->m, e);
		if (next && alike(&prev->f, &next->f))
			extent_remove(f->m, next);
		return;
	}
	if (last && next && alike(&f->frame, &next->f)) {
		if (first)
			extent_remove(f->m, e);
		next->pa = f->at;
		return;
	}
	if (!first)
		e = extent_add(f->m, e, f->at);
	if (!last)
		extent_add(f->m, e, f->pa);
	e->f = f->frame;
}

static struct frame *next_frame(struct frames *f)
{
	if (f->e && f->change)
		commit(f);
	if (f->pa >= f->end)
		return NULL;
	f->at = f->pa;
	f->e = extent_find(f->m, f->pa);
	f->pa = extent_end(f->e);
	if (!f->change)
		return &f->e->f;
	if (f->pa > f->end)
		f->pa = f->end;
	f->frame = f->e->f;
	return &f->frame;
}

void frames_mapped(struct machine *m, uint64_t pa, uint64_t size, int delta)
{
	struct frames fs = frames(m, pa, size, true);
	struct frame *f;

	while ((f = next_frame(&fs)))
		f->live += (uint32_t)delta;
}

void frames_recorded(struct machine *m, const struct rec *r, int delta)
{
	struct frames fs = frames(m, r->pa, r->end - r->ipa, true);
	struct frame *f;

	while ((f = next_frame(&fs)))
		f->recs += (uint32_t)delta;
}

bool frames_have_recs(struct machine *m, uint64_t pa, uint64_t size)
{
	struct frames fs = frames(m, pa, size, false);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->recs)
			return true;
	}
	return false;
}

bool frames_live(struct machine *m, uint64_t pa, uint64_t size, uint64_t *at)
{
	struct frames fs = frames(m, pa, size, false);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->live) {
			*at = fs.at;
			return true;
		}
	}
	return false;
}

/* The host has written, or may have written, up to this step. */
static void host_writes(struct machine *m, uint64_t pa, uint64_t size, uint64_t step,
			bool mapped)
{
	struct frames fs = frames(m, pa, size, true);
	struct frame *f;

	m->epoch++;
	while ((f = next_frame(&fs))) {
		if (f->live && !mapped)
			continue;
		if (f->host < step)
			f->host = step;
		if (f->ic <= step)
			f->icache = 0;
	}
}

void frames_to_host(struct machine *m, uint64_t pa, uint64_t size, uint64_t step)
{
	host_writes(m, pa, size, step, false);
}

#define MEMATTR 15u
#define MEMATTR_NC 5u /* with FWB and without */

static enum alias alias(bool weak, uint16_t type)
{
	return !weak ? BY_CACHE : (type & MEMATTR) == MEMATTR_NC ? PAST_CACHE : EITHER;
}

void frames_guest_wrote(struct machine *m, const struct rec *r, uint64_t step)
{
	enum alias by = alias(r->flags & F_WEAK, r->type);
	struct frames fs = frames(m, r->pa, r->end - r->ipa, true);
	struct frame *f;

	if (r->kind != K_LEAF || !(r->flags & F_WRITE) || !(r->flags & F_NORMAL))
		return;
	while ((f = next_frame(&fs))) {
		if (f->guest[by] < step)
			f->guest[by] = step;
	}
}

void frames_vouched(struct machine *m, uint64_t pa, uint64_t size)
{
	struct frames fs = frames(m, pa, size, true);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		for (int by = 0; by < ALIASES; by++)
			f->guest[by] = 0;
	}
}

bool clean_done(struct machine *m, const struct rec *r)
{
	struct frames fs = frames(m, r->pa, r->end - r->ipa, false);
	struct frame *f;

	while (r->retired && (f = next_frame(&fs))) {
		if (f->civac <= r->retired)
			return false;
	}
	return true;
}

static const struct pending *find_pending(const struct machine *m, uint64_t pa,
					  uint64_t after)
{
	for (unsigned i = 0; i < m->pes; i++) {
		const struct pe *p = &m->pe[i];

		for (size_t n = 0; n < p->pends; n++) {
			if (p->pend[n].op == S2M_DC_CIVAC && p->pend[n].step > after &&
			    p->pend[n].pa <= pa && p->pend[n].end > pa)
				return &p->pend[n];
		}
	}
	return NULL;
}

enum rule frames_why(struct machine *m, const struct rec *r, uint64_t *pa, uint64_t *step)
{
	struct frames fs = frames(m, r->pa, r->end - r->ipa, false);
	const struct pending *p;
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->civac > r->retired)
			continue;
		*pa = fs.at;
		p = find_pending(m, fs.at, r->retired);
		if (p) {
			*step = p->step;
			return R_CLEAN_NOT_COMPLETED;
		}
		if (f->clean > r->retired) {
			*step = f->clean;
			return R_CLEAN_WITHOUT_INVALIDATE;
		}
		if (f->civac > r->first) {
			*step = f->civac;
			return R_CLEAN_BEFORE_TLBI;
		}
		*step = 0;
		return R_CLEAN_MISSING;
	}
	return R_NONE;
}

/* ---- cache maintenance --------------------------------------------------- */

void s2m_cache(struct machine *m, unsigned pe, enum s2m_dc op, uint64_t pa, uint64_t size)
{
	static const char *const name[] = { "dc civac", "dc cvac", "ic ivau" };
	uint64_t start = pa & ~(LINE - 1);
	uint64_t end = (pa + size + LINE - 1) & ~(LINE - 1);
	struct pe *p = &m->pe[pe];
	struct pending *last = p->pends ? &p->pend[p->pends - 1] : NULL;
	struct frame *f;

	m->step++;
	log_event(m, pe, "%s %#llx-%#llx", name[op], (unsigned long long)start,
		  (unsigned long long)end);
	WATCH(m, .kind = S2M_EV_CACHE, .pe = pe, .op = op, .pa = pa, .size = size);
	if (op == S2M_IC_IVAU) {
		struct frames fs = frames(m, pa, size, true);

		/* Before the data is clean, a fetch may get stale instructions again. */
		while ((f = next_frame(&fs))) {
			if (f->clean > f->host || m->mode.fwb || m->features & S2M_IDC)
				f->icache |= IC_ISSUED;
			f->ic = m->step;
		}
	} else {
		m->count.clean_lines += (end - start) / LINE;
		m->count.clean_bytes += size;
	}
	if (last && last->op == op && last->end == start && last->epoch == m->epoch &&
	    p->pends > p->pend_ish) {
		last->end = end;
		return;
	}
	if (p->pends == p->pend_max) {
		size_t n = p->pend_max ? p->pend_max * 2 : 64;
		struct pending *more = realloc(p->pend, n * sizeof(*more));

		if (!more)
			abort();
		p->pend = more;
		p->pend_max = n;
	}
	p->pend[p->pends++] = (struct pending){ start, end, m->step, m->epoch, op };
}

/*
 * A DSB of the PE that issued a clean completes it. After an unmap it must be a DSB SY,
 * because the guest's non-cacheable alias is outer shareable. That a DSB ISH does not
 * suffice is a conservative reading of the architecture.
 */
static void completed(struct machine *m, const struct pending *p, bool sy)
{
	struct frames fs = frames(m, p->pa, p->end - p->pa, true);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (p->op == S2M_IC_IVAU) {
			if (f->icache & IC_ISSUED)
				f->icache = IC_DONE;
			continue;
		}
		if (f->clean < p->step)
			f->clean = p->step;
		if (sy && p->op == S2M_DC_CIVAC && f->civac < p->step)
			f->civac = p->step;
	}
}

void data_dsb(struct machine *m, unsigned pe, bool sy)
{
	struct pe *p = &m->pe[pe];
	size_t kept = 0;

	for (size_t i = sy ? 0 : p->pend_ish; i < p->pends; i++)
		completed(m, &p->pend[i], sy);
	if (!sy) {
		/* Only a clean and invalidate may still need a DSB SY. */
		for (kept = p->pend_ish;
		     kept < p->pends && p->pend[kept].op == S2M_DC_CIVAC; kept++)
			;
		for (size_t i = kept; i < p->pends; i++) {
			if (p->pend[i].op == S2M_DC_CIVAC)
				p->pend[kept++] = p->pend[i];
		}
	}
	p->pends = p->pend_ish = kept;
}

void s2m_host_wrote(struct machine *m, unsigned pe, uint64_t pa, uint64_t size)
{
	m->step++;
	log_event(m, pe, "writes data %#llx-%#llx", (unsigned long long)pa,
		  (unsigned long long)(pa + size));
	WATCH(m, .kind = S2M_EV_HOST_WROTE, .pe = pe, .pa = pa, .size = size);
	host_writes(m, pa, size, m->step, true);
}

/* ---- before an entry becomes valid --------------------------------------- */

/*
 * A leaf elsewhere has been broken and not invalidated, and by it a guest may still
 * write the frames of d, past what d will read. (One that is live is an alias, which
 * is the owner's affair; one for the same address is check_early()'s.)
 */
static struct rec *still_written(struct machine *m, uint64_t ipa, const struct desc *d,
				 enum alias by)
{
	struct ctx *c;
	struct rec *r;

	LIST_FOREACH(c, &m->ctxs, all) {
		for (int st = 0; c->held && st < ST_ISB; st++) {
			TAILQ_FOREACH(r, &c->list[st], list) {
				if (r->kind == K_LEAF && r->flags & F_WRITE &&
				    r->flags & F_NORMAL && !(r->flags & F_OLD) &&
				    r->pa < d->pa + d->size &&
				    r->pa + (r->end - r->ipa) > d->pa &&
				    r->pa - r->ipa != d->pa - ipa &&
				    alias(r->flags & F_WEAK, r->type) != by)
					return r;
			}
		}
	}
	return NULL;
}

/* Who wrote f last so that a leaf of this kind does not see it; NULL: nobody. */
static const char *not_seen(const struct frame *f, enum alias by, uint64_t *step)
{
	*step = f->guest[PAST_CACHE] > f->guest[EITHER] || by == EITHER ?
			f->guest[PAST_CACHE] :
			f->guest[EITHER];
	/* What is in the cache, dirty or not, hides what was written past it. */
	if (by != PAST_CACHE && *step && f->civac <= *step)
		return "a guest could write it past the cache";
	*step = f->guest[BY_CACHE] > f->guest[EITHER] || by == EITHER ?
			f->guest[BY_CACHE] :
			f->guest[EITHER];
	if (by != BY_CACHE && *step && f->clean <= *step)
		return "a guest could write it through the cache";
	*step = f->host;
	if (by != BY_CACHE && f->clean <= f->host)
		return f->host ? "the host wrote it" : "the host had it";
	return NULL;
}

static void not_clean(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d,
		      uint64_t pa, uint64_t step, const char *who)
{
	verdict(m, R_MAP_CLEAN_MISSING,
		(struct where){ .pe = pe, .cause = step, .ipa = ipa, .pa = pa },
		"PE%u maps %#llx to %#llx, but frame %#llx was not cleaned (with a DSB) since "
		"%s: the guest may read what was there before",
		pe, (unsigned long long)ipa, (unsigned long long)d->pa,
		(unsigned long long)pa, who);
}

/* It was not held back by a DSB that reached as far. */
static bool check_data(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d)
{
	enum alias by = alias(d->weak, d->type);
	struct frames fs = frames(m, d->pa, d->size, false);
	struct frame *f;
	bool recs = false;
	struct rec *r;

	while ((f = next_frame(&fs))) {
		uint64_t step;
		const char *who = not_seen(f, by, &step);

		if (who) {
			not_clean(m, pe, ipa, d, fs.at, step, who);
			return false;
		}
		recs |= f->recs;
	}
	r = recs ? still_written(m, ipa, d, by) : NULL;
	if (r)
		not_clean(m, pe, ipa, d, r->pa > d->pa ? r->pa : d->pa, r->first,
			  "a PE may write it by a translation that was broken and is not "
			  "invalidated");
	return !r;
}

static void check_icache(struct machine *m, unsigned pe, uint64_t ipa,
			 const struct desc *d)
{
	struct frames fs = frames(m, d->pa, d->size, false);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->icache & IC_DONE)
			continue;
		verdict(m, R_MAP_ICACHE_MISSING,
			(struct where){
				.pe = pe, .cause = f->host, .ipa = ipa, .pa = fs.at },
			"PE%u maps %#llx to %#llx executable, but the instruction cache was not "
			"invalidated for frame %#llx%s: the guest may fetch what was there "
			"before",
			pe, (unsigned long long)ipa, (unsigned long long)d->pa,
			(unsigned long long)fs.at,
			f->icache ? " (no DSB)" : " after its data was clean");
		return;
	}
}

static void vouch(struct machine *m, const struct desc *d)
{
	struct frames fs = frames(m, d->pa, d->size, true);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		f->clean = m->step;
		f->icache = IC_DONE;
		f->ic = m->step;
	}
	frames_vouched(m, d->pa, d->size);
}

void frames_check_map(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d,
		      bool data)
{
	bool exec = d->normal && d->exec && !(m->features & S2M_DIC);

	data = data && d->normal;
	if (m->pe[pe].waive) {
		if (data || exec)
			vouch(m, d);
		return;
	}
	if (!data || check_data(m, pe, ipa, d))
		if (exec)
			check_icache(m, pe, ipa, d);
}
