/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames: what was cleaned since when, and who wrote last. Dirty lines are not
 * simulated: without FWB a guest that can write may write by a non-cacheable
 * alias, so whether a clean came late enough is all there is to know.
 */
#include <stdlib.h>

#include "internal.h"

#define LINE 64u
#define CHUNK_SHIFT 21u	/* the smallest chunk: its parts are frames */
#define CHUNK (UINT64_C(1) << CHUNK_SHIFT)
#define TOP_SHIFT 57u
#define TOP (UINT64_C(1) << 52)

static void chunk_free(struct chunk *c, unsigned shift)
{
	for (unsigned i = 0; shift > CHUNK_SHIFT && c->each && i < FANOUT; i++)
		chunk_free(&c->each[i], shift - 9);
	free(c->each);
}

void data_free(struct machine *m)
{
	chunk_free(&m->frames, TOP_SHIFT);
	for (unsigned i = 0; i < MAX_PES; i++)
		free(m->pe[i].pend);
}

/* Frames of a range; those that are alike come as one. */
struct frames {
	struct machine *m;
	uint64_t pa, end;
	uint64_t at;		/* of the frame returned last */
};

static struct frames frames(struct machine *m, uint64_t pa, uint64_t size)
{
	uint64_t end = pa + size < TOP && pa + size >= pa ? pa + size : TOP;

	return (struct frames){ m, pa & ~(FRAME - 1), end, 0 };
}

/* From now on the parts of c may differ. */
static void chunk_split(struct chunk *c, unsigned shift)
{
	const struct chunk part = { .all = c->all };

	c->each = malloc(FANOUT * (shift > CHUNK_SHIFT ? sizeof(*c->each) :
						       sizeof(*c->frame)));
	if (!c->each)
		abort();
	for (unsigned i = 0; i < FANOUT; i++) {
		if (shift > CHUNK_SHIFT)
			c->each[i] = part;
		else
			c->frame[i] = part.all;
	}
}

static struct frame *next_frame(struct frames *f)
{
	struct chunk *c = &f->m->frames;
	unsigned shift;

	if (f->pa >= f->end)
		return NULL;
	f->at = f->pa;
	if (!f->m->hot.frame || f->pa / CHUNK != f->m->hot.chunk) {
		for (shift = TOP_SHIFT; shift >= CHUNK_SHIFT; shift -= 9) {
			uint64_t size = UINT64_C(1) << shift;

			if (!c->each && !(f->pa & (size - 1)) && f->end - f->pa >= size) {
				f->pa += size;
				return &c->all;
			}
			if (!c->each)
				chunk_split(c, shift);
			if (shift > CHUNK_SHIFT)
				c = &c->each[f->pa >> (shift - 9) & (FANOUT - 1)];
		}
		f->m->hot.chunk = f->pa / CHUNK;
		f->m->hot.frame = c->frame;
	}
	f->pa += FRAME;
	return &f->m->hot.frame[f->at % CHUNK / FRAME];
}

void frames_mapped(struct machine *m, uint64_t pa, uint64_t size, int delta)
{
	struct frames fs = frames(m, pa, size);
	struct frame *f;

	while ((f = next_frame(&fs)))
		f->live += (uint32_t)delta;
}

void frames_recorded(struct machine *m, const struct rec *r, int delta)
{
	struct frames fs = frames(m, r->pa, r->end - r->ipa);
	struct frame *f;

	while ((f = next_frame(&fs)))
		f->recs += (uint32_t)delta;
}

bool frames_have_recs(struct machine *m, uint64_t pa, uint64_t size)
{
	struct frames fs = frames(m, pa, size);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->recs)
			return true;
	}
	return false;
}

bool frames_live(struct machine *m, uint64_t pa, uint64_t size, uint64_t *at)
{
	struct frames fs = frames(m, pa, size);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->live) {
			*at = fs.at;
			return true;
		}
	}
	return false;
}

static void host_writes(struct machine *m, uint64_t pa, uint64_t size, bool mapped)
{
	struct frames fs = frames(m, pa, size);
	struct frame *f;

	while ((f = next_frame(&fs))) {
		if (f->live && !mapped)
			continue;
		f->host = m->step;
		f->icache = 0;
	}
}

void frames_to_host(struct machine *m, uint64_t pa, uint64_t size)
{
	host_writes(m, pa, size, false);
}

bool clean_done(struct machine *m, const struct rec *r)
{
	struct frames fs = frames(m, r->pa, r->end - r->ipa);
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
	struct frames fs = frames(m, r->pa, r->end - r->ipa);
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
	uint64_t start = pa & ~(uint64_t)(LINE - 1);
	uint64_t end = (pa + size + LINE - 1) & ~(uint64_t)(LINE - 1);
	struct pe *p = &m->pe[pe];
	struct pending *last = p->pends ? &p->pend[p->pends - 1] : NULL;
	struct frame *f;

	m->step++;
	log_event(m, pe, "%s %#llx-%#llx", name[op], (unsigned long long)start,
		  (unsigned long long)end);
	if (op == S2M_IC_IVAU) {
		struct frames fs = frames(m, pa, size);

		/* Stale instructions can be fetched again until the data is clean. */
		while ((f = next_frame(&fs))) {
			if (f->clean > f->host || m->mode.fwb || m->features & S2M_IDC)
				f->icache |= IC_ISSUED;
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
 * Cleans are complete on a DSB of the PE that issued them. For the memory that a
 * guest leaves it has to be a DSB SY: the guest's non-cacheable alias is outer
 * shareable. That a DSB ISH is not enough there is our conservative reading.
 */
static void completed(struct machine *m, const struct pending *p, bool sy)
{
	struct frames fs = frames(m, p->pa, p->end - p->pa);
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
		/* Only a clean+invalidate has more to wait for. */
		for (kept = p->pend_ish; kept < p->pends &&
		     p->pend[kept].op == S2M_DC_CIVAC; kept++)
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
	host_writes(m, pa, size, true);
}

/* ---- before an entry becomes valid --------------------------------------- */

void frames_check_map(struct machine *m, unsigned pe, uint64_t ipa, const struct desc *d,
		      bool data)
{
	bool exec = d->normal && d->exec && !(m->features & S2M_DIC);
	struct frames fs = frames(m, d->pa, d->size);
	struct frame *f;

	data = data && d->weak;
	if (!data && !exec)
		return;
	while ((f = next_frame(&fs))) {
		if (m->pe[pe].waive) {
			f->clean = m->step;
			f->icache = IC_DONE;
			continue;
		}
		if (data && f->clean <= f->host) {
			verdict(m, R_MAP_CLEAN_MISSING,
				(struct where){ .pe = pe, .cause = f->host, .ipa = ipa,
						.pa = fs.at },
				"PE%u maps %#llx to %#llx, but frame %#llx was not cleaned (with a "
				"DSB) since the host %s: the guest may read what was there before",
				pe, (unsigned long long)ipa, (unsigned long long)d->pa,
				(unsigned long long)fs.at, f->host ? "wrote it" : "had it");
			break;
		}
		if (exec && !(f->icache & IC_DONE)) {
			verdict(m, R_MAP_ICACHE_MISSING,
				(struct where){ .pe = pe, .cause = f->host, .ipa = ipa,
						.pa = fs.at },
				"PE%u maps %#llx to %#llx executable, but the instruction cache was "
				"not invalidated for frame %#llx%s: the guest may fetch what was "
				"there before", pe, (unsigned long long)ipa,
				(unsigned long long)d->pa, (unsigned long long)fs.at,
				f->icache ? " (no DSB)" : " after its data was clean");
			break;
		}
	}
}
