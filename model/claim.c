/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Promises of the program: s2m_claim_*(), s2m_leaf_gone().
 */
#include "internal.h"

/* Another PE is to invalidate r, or is doing so, and pe has not synchronised with it. */
static bool elsewhere(const struct machine *m, const struct rec *r, unsigned pe)
{
	bool acted = r->state >= ST_S2 && r->state < ST_ISB;
	unsigned who = acted ? r->actor : r->writer;

	return r->state < ST_ISB && !knows(m, pe, who, acted ? r->acted : r->last);
}

/* ---- ranges -------------------------------------------------------------- */

/* The first live leaf of the range; writable: the first that allows writes. */
static bool live_leaf(const struct machine *m, const struct tree *t, uint64_t ipa,
		      uint64_t end, bool writable, uint64_t *at, struct desc *d)
{
	unsigned top = desc_shift(m->granule, t->shape.start_level - 1);

	while (!t->dead && ipa < end && ipa >> top < t->shape.roots) {
		const struct page *p = page_at(m, t->root + (ipa >> top << m->granule));
		uint64_t size;

		do {
			unsigned slot = (unsigned)(ipa / span(m, p->level)) % entries(m);

			size = span(m, p->level);
			if (!p->live || !p->nvalid) {
				size *= entries(m);
				break;
			}
			*d = desc_read(page_mem(m, p)[slot], p->level, mode(m, t));
			if (d->kind == DESC_LEAF && (!writable || desc_writes(m, t, d))) {
				*at = ipa & ~(size - 1);
				return true;
			}
			p = d->kind == DESC_TABLE ? page_child(m, p, slot, d->pa) : NULL;
		} while (p);
		ipa = (ipa & ~(size - 1)) + size;
	}
	return false;
}

/*
 * A PE may translate all of a Contiguous run by any entry of it. So a live entry
 * outside the range translates ipa too if its run contains ipa.
 */
static bool live_member(const struct machine *m, const struct tree *t, uint64_t ipa,
			bool writable, uint64_t *at, struct desc *d)
{
	unsigned top = desc_shift(m->granule, t->shape.start_level - 1);
	const struct page *p = !t->dead && ipa >> top < t->shape.roots ?
				       page_at(m, t->root + (ipa >> top << m->granule)) :
				       NULL;

	while (p && p->live && p->nvalid) {
		unsigned slot = (unsigned)(ipa / span(m, p->level)) % entries(m);
		unsigned run = p->hints ? desc_run(m->granule, p->level) : 1;
		unsigned first = slot & ~(run - 1);

		for (unsigned i = first; run > 1 && i < first + run; i++) {
			*d = desc_read(page_mem(m, p)[i], p->level, mode(m, t));
			if (d->kind == DESC_LEAF && d->contiguous &&
			    (!writable || desc_writes(m, t, d))) {
				*at = p->ipa + i * span(m, p->level);
				return true;
			}
		}
		*d = desc_read(page_mem(m, p)[slot], p->level, mode(m, t));
		p = d->kind == DESC_TABLE ? page_child(m, p, slot, d->pa) : NULL;
	}
	return false;
}

/* There was a verdict about r already; from now on there is one. */
static bool told(struct rec *r)
{
	bool before = r->flags & F_TOLD;

	r->flags |= F_TOLD;
	return before;
}

static void judge_held(struct machine *m, unsigned pe, struct rec *r, const char *claim)
{
	char text[128], why[192];
	enum rule rule = rec_why(r, why, sizeof(why));

	/* The PE that issued the TLBI does not run the guest before its ISB. */
	if (r->state == ST_ISB && !(r->flags & F_AGENT) &&
	    !knows(m, pe, r->actor, r->acted))
		return;
	if (told(r))
		return;
	if (elsewhere(m, r, pe)) {
		rule = R_UNMAP_RETURN_PENDING;
		snprintf(why, sizeof(why),
			 "its invalidation is PE%u's, and has not ended",
			 r->state < ST_S2 ? r->writer : r->actor);
	}
	verdict(m, rule,
		(struct where){ .pe = pe, .cause = r->first, .ipa = r->ipa, .pa = r->pa },
		"PE%u %s, but PEs may hold %s: %s", pe, claim,
		rec_text(r, text, sizeof(text)), why);
}

static void judge_clean(struct machine *m, unsigned pe, struct rec *r, const char *claim)
{
	uint64_t pa = 0, step = 0;
	char text[128], how[128];
	enum rule rule = frames_why(m, r, &pa, &step);

	switch (rule) {
	case R_CLEAN_NOT_COMPLETED:
		snprintf(how, sizeof(how),
			 "the clean at step %llu was not completed by a DSB SY "
			 "of its PE",
			 NS(step));
		break;
	case R_CLEAN_WITHOUT_INVALIDATE:
		snprintf(how, sizeof(how),
			 "it was cleaned at step %llu but not invalidated: a "
			 "stale line may be hit",
			 NS(step));
		break;
	case R_CLEAN_BEFORE_TLBI:
		snprintf(how, sizeof(how),
			 "the clean at step %llu came before the TLBI had "
			 "completed, at step %llu: a PE could still write",
			 NS(step), NS(r->retired));
		break;
	case R_CLEAN_MISSING:
		snprintf(how, sizeof(how), "it was not cleaned");
		break;
	default:
		return;
	}
	verdict(m, rule,
		(struct where){ .pe = pe, .cause = r->first, .ipa = r->ipa, .pa = pa },
		"PE%u %s, but what the guest wrote to frame %#llx (%s) may be lost: %s",
		pe, claim, NS(pa), rec_text(r, text, sizeof(text)), how);
}

static struct tree *claimed(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa)
{
	struct tree *t = tree_find(m, root);

	if (!t)
		verdict(m, R_TREE_UNKNOWN,
			(struct where){ .pe = pe, .ipa = ipa, .pa = root },
			"PE%u promises something of the tree at %#llx, to which no VTTBR_EL2 has "
			"pointed yet",
			pe, NS(root));
	return t;
}

/* Counted leaves of the range, which has gone, that the program has not reported. */
static void judge_owed(struct machine *m, unsigned pe, struct tree *t, uint64_t ipa,
		       uint64_t end, const char *claim)
{
	uint64_t at, pa, step;

	if (counted_owed(m, t, ipa, end, &at, &pa, &step))
		verdict(m, R_COUNTED_LOST,
			(struct where){ .pe = pe, .cause = step, .ipa = at, .pa = pa },
			"PE%u %s, but the counted leaf at %#llx, which mapped %#llx and was "
			"broken at step %llu, has not been reported",
			pe, claim, NS(at), NS(pa), NS(step));
}

void judge_root(struct machine *m, unsigned pe, struct tree *t)
{
	judge_owed(m, pe, t, 0, UINT64_MAX, "gives the root back");
}

void s2m_claim_unmapped(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			uint64_t size, unsigned flags)
{
	uint64_t end = ipa + size, at;
	struct tree *t;
	struct rec *r, *next;
	char claim[96];
	struct ctx *c;
	struct desc d;

	m->step++;
	log_event(m, pe, "claims that %#llx-%#llx is unmapped", NS(ipa), NS(end));
	WATCH(m, .kind = S2M_EV_UNMAPPED, .pe = pe, .root = root, .ipa = ipa,
	      .size = size, .op = flags);
	t = claimed(m, pe, root, ipa);
	if (!t)
		return;
	snprintf(claim, sizeof(claim), "has unmapped %#llx-%#llx", NS(ipa), NS(end));
	dirty_forget(m, t, ipa, end, NULL);
	if (!(flags & S2M_CLAIM_NO_REPORT))
		judge_owed(m, pe, t, ipa, end, claim);
	if (live_leaf(m, t, ipa, end, false, &at, &d))
		verdict(m, R_UNMAP_LEFT_MAPPED,
			(struct where){ .pe = pe, .ipa = at, .pa = d.pa },
			"PE%u %s, but %#llx is still mapped to %#llx", pe, claim, NS(at),
			NS(d.pa));
	else if (live_member(m, t, ipa, false, &at, &d) ||
		 live_member(m, t, end - 1, false, &at, &d))
		verdict(m, R_UNMAP_LEFT_MAPPED,
			(struct where){ .pe = pe, .ipa = at, .pa = d.pa },
			"PE%u %s, but %#llx is of a Contiguous run that reaches into it",
			pe, claim, NS(at));
	else
		run_judge(m, pe, true);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = next) {
			r = leaf_cut(m, r, ipa, end);
			next = leaf_next(r);
			if (rec_held(r)) {
				judge_held(m, pe, r, claim);
				continue;
			}
			if (flags & S2M_CLAIM_NO_CLEAN)
				frames_vouched(m, r->pa, r->end - r->ipa);
			else if (r->retired)
				judge_clean(m, pe, r, claim);
			frames_to_host(m, r->pa, r->end - r->ipa, m->step);
			rec_drop(m, r);
		}
	}
}

/* Why the counted leaf may not be reported yet; NULL: it may. */
static const char *too_early(struct machine *m, unsigned pe, struct tree *t, uint64_t ipa,
			     uint64_t pa, uint64_t end, bool clean, uint64_t *cause)
{
	static char why[384];
	char text[128], how[192];
	uint64_t frame, step;
	struct ctx *c;
	struct rec *r;

	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
			*cause = r->first;
			if (r->pa - r->ipa != pa - ipa)
				continue;
			if (!rec_held(r) && clean && r->retired &&
			    frames_why(m, r, &frame, &step) != R_NONE)
				return "its memory is not clean";
			if (!rec_held(r) ||
			    (r->state == ST_ISB && !(r->flags & F_AGENT) &&
			     !knows(m, pe, r->actor, r->acted)))
				continue;
			rec_why(r, how, sizeof(how));
			snprintf(why, sizeof(why), "PEs may hold %s: %s",
				 rec_text(r, text, sizeof(text)), how);
			return why;
		}
	}
	return NULL;
}

void s2m_leaf_gone(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
		   uint64_t pa, uint64_t size, unsigned flags)
{
	struct where w = { .pe = pe, .ipa = ipa, .pa = pa };
	uint64_t at = ipa;
	const char *why;
	struct tree *t;
	struct desc d;

	m->step++;
	log_event(m, pe, "reports that the counted leaf %#llx-%#llx to %#llx is gone",
		  NS(ipa), NS(ipa + size), NS(pa));
	WATCH(m, .kind = S2M_EV_LEAF_GONE, .pe = pe, .root = root, .ipa = ipa, .pa = pa,
	      .size = size, .op = flags);
	t = claimed(m, pe, root, ipa);
	if (!t)
		return;
	if (!counted_told(m, t, ipa, pa, size)) {
		bool live = live_leaf(m, t, ipa, ipa + size, false, &at, &d) &&
			    d.pa - at == pa - ipa;

		verdict(m, live ? R_COUNTED_EARLY : R_COUNTED_TWICE, w,
			"PE%u reports that the counted leaf at %#llx to %#llx is gone, but it "
			"is %s",
			pe, NS(ipa), NS(pa),
			live ? "still mapped" :
			       "not due: it was reported before, or was never there");
		return;
	}
	why = too_early(m, pe, t, ipa, pa, ipa + size, !(flags & S2M_CLAIM_NO_CLEAN),
			&w.cause);
	if (why)
		verdict(m, R_COUNTED_EARLY, w,
			"PE%u reports that the counted leaf at %#llx to %#llx is gone, but %s",
			pe, NS(ipa), NS(pa), why);
}

void s2m_claim_wrprotected(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			   uint64_t size)
{
	uint64_t end = ipa + size, at;
	struct tree *t;
	char claim[96];
	struct ctx *c;
	struct rec *r;
	struct desc d;

	m->step++;
	log_event(m, pe, "claims that %#llx-%#llx is write-protected", NS(ipa), NS(end));
	WATCH(m, .kind = S2M_EV_WRPROTECTED, .pe = pe, .root = root, .ipa = ipa,
	      .size = size);
	t = claimed(m, pe, root, ipa);
	if (!t)
		return;
	snprintf(claim, sizeof(claim), "has write-protected %#llx-%#llx", NS(ipa),
		 NS(end));
	if (live_leaf(m, t, ipa, end, true, &at, &d))
		verdict(m, R_WRPROTECT_LEFT_WRITABLE,
			(struct where){ .pe = pe, .ipa = at, .pa = d.pa },
			"PE%u %s, but %#llx may still be written through %#llx", pe,
			claim, NS(d.pa), NS(at));
	else if (live_member(m, t, ipa, true, &at, &d) ||
		 live_member(m, t, end - 1, true, &at, &d))
		verdict(m, R_WRPROTECT_LEFT_WRITABLE,
			(struct where){ .pe = pe, .ipa = at, .pa = d.pa },
			"PE%u %s, but %#llx, which is writable, is of a Contiguous run that "
			"reaches into it",
			pe, claim, NS(at));
	else
		run_judge(m, pe, true);
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
			/* Without dirty state by hardware the agent ignores DBM. */
			bool writes = r->state < ST_RETIRED || agent_has(m, S2M_HAFDBS) ?
					      r->flags & F_WRITE :
					      r->flags & F_DIRTY;

			if (rec_held(r) && writes)
				judge_held(m, pe, r, claim);
		}
	}
}

/* A PE may write by r within the range, and no entry has dirty state for it: at *at. */
static bool unmarked(const struct machine *m, const struct rec *r, uint64_t ipa,
		     uint64_t end, uint64_t *at)
{
	uint64_t size = span(m, r->level), leaf;
	struct desc d;

	*at = r->ipa > ipa ? r->ipa : ipa;
	if (!rec_held(r) || !(r->flags & F_DIRTY))
		return false;
	for (; *at < r->end && *at < end; *at = (*at & ~(size - 1)) + size) {
		if (!live_leaf(m, r->ctx->tree, *at, *at + 1, false, &leaf, &d) ||
		    !d.write)
			return true;
	}
	return false;
}

void s2m_claim_harvested(struct machine *m, unsigned pe, uint64_t root, uint64_t ipa,
			 uint64_t size)
{
	uint64_t end = ipa + size, at;
	char text[128], why[192];
	struct lost l;
	struct tree *t;
	struct ctx *c;
	struct rec *r;

	m->step++;
	log_event(m, pe, "claims to know what is dirty in %#llx-%#llx", NS(ipa), NS(end));
	WATCH(m, .kind = S2M_EV_HARVESTED, .pe = pe, .root = root, .ipa = ipa,
	      .size = size);
	t = claimed(m, pe, root, ipa);
	if (!t)
		return;
	if (dirty_lost(m, t, ipa, end, &l))
		verdict(m, R_HW_DIRTY_LOST,
			(struct where){
				.pe = pe, .cause = l.step, .ipa = l.ipa, .pa = l.pa },
			"PE%u knows what is dirty in %#llx-%#llx, but %#llx %s", pe,
			NS(ipa), NS(end), NS(l.ipa),
			l.written ?
				"was written and is not in the set" :
				"may have been marked dirty in the memory of a detached table after "
				"the program looked last, or it never looked");
	LIST_FOREACH(c, &t->ctxs, of_tree) {
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
			if (!unmarked(m, r, ipa, end, &at) || told(r))
				continue;
			rec_why(r, why, sizeof(why));
			verdict(m, R_HW_DIRTY_LOST,
				(struct where){ .pe = pe,
						.cause = r->first,
						.ipa = at,
						.pa = r->pa },
				"PE%u knows what is dirty in %#llx-%#llx, but PEs may write by "
				"%s, and leave no mark: %s",
				pe, NS(ipa), NS(end), rec_text(r, text, sizeof(text)),
				why);
		}
	}
}

void s2m_claim_settled(struct machine *m, unsigned pe)
{
	char text[128], why[192];
	enum rule rule;
	struct ctx *c;
	struct rec *r;

	m->step++;
	log_event(m, pe, "has ended");
	LIST_FOREACH(c, &m->ctxs, all) {
		if (c->tree->dead || !c->running)
			continue;
		for (int st = 0; st < STATES; st++) {
			TAILQ_FOREACH(r, &c->list[st], list) {
				if (r->kind == K_ALL || !rec_held(r) || told(r))
					continue;
				rule = rec_why(r, why, sizeof(why));
				verdict(m, rule,
					(struct where){ .pe = r->writer,
							.cause = r->first,
							.ipa = r->ipa,
							.pa = r->pa },
					"the program has ended, but PEs may hold %s: %s",
					rec_text(r, text, sizeof(text)), why);
			}
		}
	}
}

static void judge_frame(struct machine *m, unsigned pe, struct rec *r, uint64_t pa,
			uint64_t end, const char *claim)
{
	uint64_t lo = pa > r->pa ? pa : r->pa;
	uint64_t hi = end < r->pa + (r->end - r->ipa) ? end : r->pa + (r->end - r->ipa);
	struct rec part = *r;

	if (r->kind != K_LEAF || lo >= hi)
		return;
	if (rec_held(r)) {
		judge_held(m, pe, r, claim);
		return;
	}
	part.ipa += lo - r->pa;
	part.end = part.ipa + (hi - lo);
	part.pa = lo;
	if (r->retired)
		judge_clean(m, pe, &part, claim);
}

void s2m_claim_frame_free(struct machine *m, unsigned pe, uint64_t pa, uint64_t size)
{
	uint64_t end = pa + size, at;
	struct rec *r, *next;
	char claim[96];
	struct ctx *c;

	m->step++;
	log_event(m, pe, "claims that nobody uses frames %#llx-%#llx", NS(pa), NS(end));
	WATCH(m, .kind = S2M_EV_FRAME_FREE, .pe = pe, .pa = pa, .size = size);
	snprintf(claim, sizeof(claim), "hands on frames %#llx-%#llx", NS(pa), NS(end));
	if (frames_live(m, pa, size, &at))
		verdict(m, R_FRAME_STILL_MAPPED, (struct where){ .pe = pe, .pa = at },
			"PE%u %s, but %#llx is still mapped", pe, claim, NS(at));
	if (!frames_have_recs(m, pa, size)) {
		frames_to_host(m, pa, size, m->step);
		return;
	}
	LIST_FOREACH(c, &m->ctxs, all) {
		for (int st = 0; st < STATES; st++) {
			TAILQ_FOREACH(r, &c->list[st], list)
				judge_frame(m, pe, r, pa, end, claim);
		}
		TAILQ_FOREACH_SAFE(r, &c->orphans, list, next) {
			judge_frame(m, pe, r, pa, end, claim);
			if (r->pa >= pa && r->pa + (r->end - r->ipa) <= end)
				rec_drop(m, r);
		}
	}
	frames_to_host(m, pa, size, m->step);
}
