/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Planning and issuing an invalidation: the only file with a TLBI in it.
 *
 * The cost rule. One unit is what Linux measured as a cycle or so of its range
 * TLBI series (20200708124031.1414-1: ~11,000 fixed and ~525 for each further
 * TLBI; the unit is not stated there):
 *
 *   by address  n TLBIs, then DSB, VMALLE1IS, DSB:  n*TLBI + beyond*PAGE
 *                                                   + DSB + TLBI + DSB
 *   whole VMID  VMALLS12E1IS, DSB:                  TLBI + DSB + REFILL
 *
 * where beyond is the number of pages invalidated that nobody asked for, PAGE
 * what refilling one costs, and REFILL what refilling the VMID's stage-2-only
 * entries costs (by address only those of the range go; combined entries go
 * either way). No figure for REFILL has been published [U]: it is set so that
 * up to S2_PLAN_OPS TLBIs by address are thought worth it.
 */
#include "internal.h"

#define COST_TLBI 525u
#define COST_PAGE 1u
#define COST_BY_ADDRESS_MAX (S2_PLAN_OPS * COST_TLBI)

/* RIPAS2E1IS covers (NUM + 1) << (5 * SCALE + 1) pages, at most 2^21. */
#define RANGE_MAX_SHIFT 21
#define RANGE_SCALES 4

void gather_add(struct s2_gather *g, uint64_t ipa, uint64_t size, uint64_t stride)
{
	if (g->start == g->end) {
		g->start = ipa;
		g->end = ipa + size;
		g->stride = stride;
		return;
	}
	if (ipa < g->start)
		g->start = ipa;
	if (ipa + size > g->end)
		g->end = ipa + size;
	if (stride < g->stride)
		g->stride = stride;
}

static unsigned scale_shift(int scale)
{
	return 5u * (unsigned)scale + 1;
}

/* TG: 0b01 4 KiB, 0b10 16 KiB, 0b11 64 KiB. */
static uint64_t operand_tg(const struct s2 *s2)
{
	return (page_shift(s2) - 10) / 2;
}

/* TTL[47:44]: TG and the level; 0: no hint. IPA[51:12] in [39:0], any granule. */
static uint64_t operand_ipa(const struct s2 *s2, uint64_t ipa, int level)
{
	uint64_t ttl = s2->features & S2_FEAT_TTL && level ?
			       operand_tg(s2) << 2 | (unsigned)level :
			       0;

	return ttl << 44 | ipa >> 12;
}

/* BaseADDR counts granules; with LPA2, 64 KiB whatever the granule. */
static unsigned base_shift(const struct s2 *s2)
{
	return wide_of(s2) == S2_WIDE_LPA2 ? 16 : page_shift(s2);
}

/*
 * TG[47:46], SCALE, NUM, TTL[38:37], BaseADDR. A hint needs a base aligned to a
 * leaf of its level (else UNPREDICTABLE), so it is left out elsewhere; level 0
 * cannot be given.
 */
static uint64_t operand_range(const struct s2 *s2, uint64_t ipa, int scale, unsigned num,
			      int level)
{
	uint64_t in = ipa & ((UINT64_C(1) << level_shift(s2, level)) - 1);
	uint64_t ttl = level && !in ? (unsigned)level : 0;

	return operand_tg(s2) << 46 | (uint64_t)scale << 44 | (uint64_t)num << 39 |
	       ttl << 37 | ipa >> base_shift(s2);
}

/*
 * How to cover @pages (at most 2^21): round up to whole units of @scale and
 * write that in base 32, one TLBI a digit from the largest scale down. Scale -1:
 * exactly, an odd page left over by IPAS2E1IS.
 */
struct cover {
	uint64_t pages; /* covered by the ranges */
	unsigned ops;
	uint64_t cost;
};

static struct cover cover_at(uint64_t pages, int scale)
{
	uint64_t unit = scale < 0 ? 2 : UINT64_C(1) << scale_shift(scale);
	uint64_t odd = scale < 0 ? pages & 1 : 0;
	uint64_t left = scale < 0 ? pages - odd : (pages + unit - 1) & ~(unit - 1);
	struct cover c = { .pages = left, .ops = (unsigned)odd };

	c.cost = (left + odd - pages) * COST_PAGE;
	for (int s = RANGE_SCALES - 1; s >= 0 && left; s--)
		if (left >> scale_shift(s)) {
			c.ops++;
			left &= (UINT64_C(1) << scale_shift(s)) - 1;
		}
	c.cost += c.ops * COST_TLBI;
	return c;
}

static void plan_add(struct s2_plan *plan, enum s2_tlbi op, uint64_t operand)
{
	plan->op[plan->n] = op;
	plan->operand[plan->n] = operand;
	plan->n++;
}

static void plan_whole(struct s2_plan *plan)
{
	plan->n = 0;
	plan->beyond = UINT64_MAX;
	plan_add(plan, S2_TLBI_VMALLS12E1IS, 0);
}

/* Append the ranges of @c from @ipa on; returns where they end. */
static uint64_t plan_ranges(const struct s2 *s2, struct s2_plan *plan, uint64_t ipa,
			    uint64_t pages, int level)
{
	for (int s = RANGE_SCALES - 1; s >= 0; s--) {
		uint64_t n = pages >> scale_shift(s);

		if (!n)
			continue;
		plan_add(plan, S2_TLBI_RIPAS2E1IS,
			 operand_range(s2, ipa, s, (unsigned)n - 1, level));
		ipa += n << scale_shift(s) << page_shift(s2);
		pages -= n << scale_shift(s);
	}
	return ipa;
}

static void plan_range(const struct s2 *s2, uint64_t ipa, uint64_t size, uint64_t stride,
		       int level, struct s2_plan *plan)
{
	uint64_t single = ((ipa & (stride - 1)) + size + stride - 1) / stride;
	uint64_t full, rest, before;
	struct cover best;

	plan->n = 0;
	plan->beyond = 0;
	if (!size)
		return;
	if (single == 1) {
		plan_add(plan, S2_TLBI_IPAS2E1IS, operand_ipa(s2, ipa, level));
		return;
	}

	/* A range begins where BaseADDR can say it does. */
	before = ipa & ((UINT64_C(1) << base_shift(s2)) - 1);
	full = (size + before) >> page_shift(s2);
	rest = full & ((UINT64_C(1) << RANGE_MAX_SHIFT) - 1);
	full >>= RANGE_MAX_SHIFT;
	best = cover_at(rest, -1);
	/* Nothing is cheaper than one TLBI that reaches no further. */
	for (int s = 0; s < RANGE_SCALES && best.ops > 1; s++) {
		struct cover c = cover_at(rest, s);

		if (c.cost < best.cost)
			best = c;
	}
	best.cost += full * COST_TLBI + (before >> page_shift(s2)) * COST_PAGE;
	/* One TLBI a leaf: needs no range instruction, and reaches no further. */
	if (!(s2->features & S2_FEAT_TLBIRANGE) || single * COST_TLBI <= best.cost) {
		if (single > S2_PLAN_OPS) {
			plan_whole(plan);
			return;
		}
		for (; single; single--, ipa += stride)
			plan_add(plan, S2_TLBI_IPAS2E1IS, operand_ipa(s2, ipa, level));
		return;
	}
	if (full + best.ops > S2_PLAN_OPS || best.cost > COST_BY_ADDRESS_MAX) {
		plan_whole(plan);
		return;
	}
	ipa -= before;
	plan->beyond = before;
	for (; full; full--)
		ipa = plan_ranges(s2, plan, ipa, UINT64_C(1) << RANGE_MAX_SHIFT, level);
	ipa = plan_ranges(s2, plan, ipa, best.pages, level);
	if (best.pages < rest)
		plan_add(plan, S2_TLBI_IPAS2E1IS, operand_ipa(s2, ipa, level));
	else
		plan->beyond += (best.pages - rest) << page_shift(s2);
}

void s2_plan_range(const struct s2_config *cfg, uint64_t ipa, uint64_t size,
		   uint64_t stride, int level, struct s2_plan *plan)
{
	struct s2 s2;

	config_layout(&s2, cfg);
	plan_range(&s2, ipa, size, stride, level, plan);
}

static inline void issue_begin(void *port)
{
	/*
	 * The broken entries before the TLBIs. A walk on another PE may read the
	 * old descriptor until the store that replaced it is complete, and what
	 * it caches then no TLBI already done would remove. A DSB is complete
	 * only when the stores before it, by this PE and those it has observed,
	 * are visible to every walker in the shareability domain; TLBIs after it
	 * in program order start later [RPSMWS]. Stores are all there is to
	 * order, so ISHST is enough; a DMB is not, it does not order a TLBI.
	 */
	s2_port_dsb_ishst(port);

	s2_port_vmid_enter(port);
}

/*
 * Other agents, after the PEs. If one fails the call goes on, but no table that it may
 * walk is freed: limbo_of().
 */
static int invalidate_agents(struct s2 *s2, uint64_t ipa, uint64_t size)
{
	int err = s2_port_agents_invalidate(s2->port, ipa, size);

	S2_ASSERT(S2_USE_AGENTS || !err);
	if (!S2_USE_AGENTS || !err)
		return 0;
	s2_port_word_add(s2->port, &s2->failures, 1);
	return S2_E_AGENTS;
}

/* @whole: all of the VMID, by VMALLS12E1IS. */
static inline int issue_end(struct s2 *s2, bool whole, uint64_t ipa, uint64_t size)
{
	void *port = s2->port;

	/*
	 * The TLBIs before whatever comes next. A TLBI is finished on another PE
	 * when its accesses through old translations are, walks in flight among
	 * them [RVJDB]; the issuer knows that only by a DSB that orders loads and
	 * stores: ISH, not ISHST [RYNJCP, RPSMWS].
	 */
	s2_port_dsb_ish(port);

	if (!whole) {
		/*
		 * Entries that combine stage 1 and stage 2 need not go by IPA. They
		 * must go after the stage-2 ones, with the DSB above between (two
		 * TLBIs are unordered without one [RTGVWD]): in the other order a
		 * PE could make a combined entry again from a stage-2 one that was
		 * still there. Needed with stage 1 off, too.
		 */
		s2_port_tlbi_vmalle1is(port);
		/* The stage-1 TLBI before whatever comes next: as above. */
		s2_port_dsb_ish(port);
	}

	if (s2->errata & S2_ERRATUM_REPEAT_TLBI) {
		/*
		 * On these CPUs the DSB may end before the TLBIs above it have
		 * taken effect everywhere. Any further TLBI and DSB ISH after them
		 * wait for all; once at the end is enough.
		 */
		s2_port_tlbi_vmalle1is(port);
		s2_port_dsb_ish(port);
	}

	/*
	 * This PE itself may go on with an old translation until a context
	 * synchronisation (FEAT_ETS2 aside), for what comes after in this
	 * program, the walks of a guest entered next included.
	 */
	s2_port_isb(port);
	s2_port_vmid_leave(port);

	/*
	 * Other agents read the same entries with TLBs that a broadcast may not
	 * reach: after the entries are visibly invalid, or they would refill;
	 * before any memory is cleaned or given back.
	 */
	return invalidate_agents(s2, ipa, size);
}

static void issue(struct s2 *s2, const struct step *step, const struct s2_plan *plan,
		  uint64_t ipa, uint64_t size)
{
	void *port = s2->port;

	issue_begin(port);
	for (unsigned i = 0; i < plan->n; i++) {
		if (plan->op[i] == S2_TLBI_IPAS2E1IS)
			s2_port_tlbi_ipas2e1is(port, plan->operand[i]);
		else if (plan->op[i] == S2_TLBI_RIPAS2E1IS)
			s2_port_tlbi_ripas2e1is(port, plan->operand[i]);
		else
			s2_port_tlbi_vmalls12e1is(port);
		if (step && is_shared(step))
			s2_port_word_add(port, &s2->tlbis[plan->op[i]], 1);
		else
			s2->tlbis[plan->op[i]]++;
	}
	issue_end(s2, plan->op[0] == S2_TLBI_VMALLS12E1IS, ipa, size);
}

int invalidate_local(struct s2 *s2, uint64_t ipa, int level)
{
	void *port = s2->port;
	uint64_t size;

	/*
	 * For more permissions at the same address. A PE with an old copy faults once
	 * and comes here itself, so only this one's must go, and nobody else is waited
	 * for: the same barriers as below in issue(), each for this PE alone. The new
	 * entry before the TLBI, or this PE's walk could fetch the old one again.
	 */
	s2_port_dsb_ishst(port);
	s2_port_vmid_enter(port);
	s2_port_tlbi_ipas2e1(port, operand_ipa(s2, ipa, level));
	/* Stage 2 gone before the combined entries that could be made from it. */
	s2_port_dsb_nsh(port);
	s2_port_tlbi_vmalle1(port);
	/* Gone before this PE enters the guest again. */
	s2_port_dsb_nsh(port);
	s2_port_isb(port);
	s2_port_vmid_leave(port);
	/* Another agent does not come back by a fault that we handle. */
	size = has_runs(s2) && run_size(s2, level) ? run_size(s2, level) :
						     level_size(s2, level);
	return invalidate_agents(s2, ipa & ~(size - 1), size);
}

/*
 * A level hint is a promise that every leaf is there; and with a table entry gone the
 * walk caches above a leaf of any level must go.
 */
static void plan_gather(const struct s2 *s2, const struct s2_gather *g,
			struct s2_plan *plan)
{
	int level = 0;

	if (!g->table)
		for (int l = 1; l <= LAST_LEVEL; l++)
			if (g->levels == 1u << l)
				level = l;
	plan_range(s2, g->start, g->end - g->start, g->stride, level, plan);
}

void invalidate(struct s2 *s2, const struct step *step, const struct s2_gather *g)
{
	struct s2_plan plan;

	if (g->start == g->end)
		return;
	plan_gather(s2, g, &plan);
	issue(s2, step, &plan, g->start, g->end - g->start);
}

int invalidate_page(struct s2 *s2, uint64_t ipa)
{
	s2->tlbis[S2_TLBI_IPAS2E1IS]++;
	issue_begin(s2->port);
	s2_port_tlbi_ipas2e1is(s2->port, operand_ipa(s2, ipa, LAST_LEVEL));
	return issue_end(s2, false, ipa, page_size(s2));
}

void invalidate_all(struct s2 *s2)
{
	struct s2_plan plan;

	plan_whole(&plan);
	issue(s2, NULL, &plan, 0, 0);
}

void invalidate_places(struct s2 *s2, const struct s2_gather *place, unsigned n)
{
	struct s2_plan all = { .n = 0 }, plan;
	struct s2_gather g = { 0 };

	for (unsigned i = 0; i < n; i++) {
		plan.n = S2_PLAN_OPS + 1;
		if (n <= S2_PLAN_OPS)
			plan_gather(s2, &place[i], &plan);
		/* Together they must be worth it, as one range would have to be. */
		if (all.n + plan.n > S2_PLAN_OPS || plan.op[0] == S2_TLBI_VMALLS12E1IS) {
			invalidate_all(s2);
			return;
		}
		for (unsigned k = 0; k < plan.n; k++)
			plan_add(&all, plan.op[k], plan.operand[k]);
		gather_add(&g, place[i].start, place[i].end - place[i].start, 0);
	}
	if (n)
		issue(s2, NULL, &all, g.start, g.end - g.start);
}
