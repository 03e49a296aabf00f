/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLBIs and barriers: they move stale translations from state to state (enum state).
 */
#include "internal.h"

#define BIT(n) (UINT64_C(1) << (n))
#define FIELD(v, hi, lo) (((v) >> (lo)) & (BIT((hi) - (lo) + 1) - 1))
#define HCR_TGE BIT(27)
#define ANY_LEVEL (-1)

struct tlbi {
	bool s2, s1; /* what it invalidates */
	bool address, all_vmids, last, local;
	bool bad; /* the operand is such that nothing need be invalidated */
	int hint; /* level; ANY_LEVEL: none */
	uint64_t start, end;
	unsigned pe;
};

static const struct {
	const char *name;
	bool s2, s1, address, range, last, local;
} kinds[S2M_TLBI_KINDS] = {
	[S2M_IPAS2E1IS] = { "ipas2e1is", .s2 = true, .address = true },
	[S2M_IPAS2E1] = { "ipas2e1", .s2 = true, .address = true, .local = true },
	[S2M_IPAS2LE1IS] = { "ipas2le1is", .s2 = true, .address = true, .last = true },
	[S2M_RIPAS2E1IS] = { "ripas2e1is", .s2 = true, .address = true, .range = true },
	[S2M_RIPAS2LE1IS] = { "ripas2le1is", .s2 = true, .address = true, .range = true,
			      .last = true },
	[S2M_VMALLE1IS] = { "vmalle1is", .s1 = true },
	[S2M_VMALLE1] = { "vmalle1", .s1 = true, .local = true },
	[S2M_VMALLS12E1IS] = { "vmalls12e1is", .s2 = true, .s1 = true },
	[S2M_VMALLS12E1] = { "vmalls12e1", .s2 = true, .s1 = true, .local = true },
	[S2M_ALLE1IS] = { "alle1is", .s2 = true, .s1 = true },
	[S2M_IPAS2LE1] = { "ipas2le1", .s2 = true, .address = true, .last = true,
			   .local = true },
	[S2M_RIPAS2E1] = { "ripas2e1", .s2 = true, .address = true, .range = true,
			   .local = true },
	[S2M_RIPAS2LE1] = { "ripas2le1", .s2 = true, .address = true, .range = true,
			    .last = true, .local = true },
	[S2M_ALLE1] = { "alle1", .s2 = true, .s1 = true, .local = true },
};

const char *s2m_tlbi_name(enum s2m_tlbi op)
{
	return kinds[op].name;
}

/*
 * With an operand that is reserved or UNPREDICTABLE for the granule in use nothing need
 * be invalidated: another TG; level 1 with 16 KiB granules and no LPA2; a level hint to
 * which the start of a range is not aligned.
 */
static void decode(const struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t v,
		   struct tlbi *t)
{
	const uint64_t tg = (m->granule - 10u) / 2; /* 1, 2, 3 */
	int level;

	*t = (struct tlbi){ .s2 = kinds[op].s2,
			    .s1 = kinds[op].s1,
			    .pe = pe,
			    .address = kinds[op].address,
			    .last = kinds[op].last,
			    .local = kinds[op].local,
			    .all_vmids = op == S2M_ALLE1IS || op == S2M_ALLE1,
			    .hint = ANY_LEVEL };
	if (!t->address) {
		t->end = UINT64_MAX;
		return;
	}
	if (kinds[op].range) {
		/* With DS the unit is 64 KiB whatever the granule. */
		t->start = FIELD(v, 36, 0)
			   << (desc_ds(pe_vtcr(m, pe), m->granule) ? 16 : m->granule);
		t->end = t->start + ((FIELD(v, 43, 39) + 1)
				     << (5 * FIELD(v, 45, 44) + 1 + m->granule));
		level = (int)FIELD(v, 38, 37);
		t->bad = FIELD(v, 47, 46) != tg ||
			 (level && t->start & (span(m, level) - 1));
	} else {
		/* Bits below the granule are ignored. */
		t->start = FIELD(v, 39, 0) << 12 & ~(granule(m) - 1);
		t->end = t->start + granule(m);
		if (!(m->features & S2M_TTL) || !FIELD(v, 47, 46))
			return;
		level = (int)FIELD(v, 45, 44);
		t->bad = FIELD(v, 47, 46) != tg;
		/* Level 0 is a hint only where it has blocks: 4 KiB with LPA2. */
		if (!level && m->granule == 12 && m->features & S2M_LPA2)
			t->hint = 0;
	}
	if (level)
		t->hint = level;
	if (level == 1 && m->granule == 14 && !(m->features & S2M_LPA2))
		t->bad = true;
}

static void fails(struct machine *m, struct rec *r, const struct tlbi *t, enum rule why)
{
	r->why = (uint8_t)why;
	r->why_step = m->step;
	r->why_pe = (uint8_t)t->pe;
}

static bool reaches(const struct ctx *c, const struct tlbi *t)
{
	return !t->local || !(c->holders & ~(1u << t->pe));
}

static uint16_t bit(unsigned pe)
{
	return (uint16_t)(1u << pe);
}

/* r moves on to st. If it is there already, the DSB of either PE may complete it. */
static void advance(struct machine *m, struct rec *r, const struct tlbi *t, enum state st)
{
	uint16_t *by = st == ST_S2 ? &r->s2_by : st == ST_S1 ? &r->s1_by : &r->again_by;

	*by |= bit(t->pe);
	if (r->state >= st)
		return;
	rec_state(m, r, st);
	r->actor = (uint8_t)t->pe;
	r->flags = (uint16_t)((r->flags & ~F_LOCAL) | (t->local ? F_LOCAL : 0));
}

/* A PE may still walk to ipa through a removed table entry. */
static bool table_undone(struct ctx *c, uint64_t ipa)
{
	struct rec *r;

	for (int l = c->tree->shape.start_level; l < 3; l++) {
		r = table_first(c, l, ipa);
		for (; r && r->level == l && r->ipa <= ipa; r = table_next(r)) {
			if (r->state < ST_S2DONE)
				return true;
		}
	}
	return false;
}

/* The TLBI reaches r. If it does not count (why), r keeps the reason. */
static void hit(struct machine *m, struct rec *r, const struct tlbi *t, enum rule why)
{
	if (why == R_NONE)
		advance(m, r, t, ST_S2);
	else if (r->state <= ST_VISIBLE)
		fails(m, r, t, why);
}

static struct rec *hit_leaf(struct machine *m, struct ctx *c, struct rec *r,
			    const struct tlbi *t)
{
	/* Any address of a block hits it. */
	uint64_t mask = span(m, r->level) - 1;
	uint64_t end = (t->end + mask) & ~mask;
	enum rule why = R_NONE;
	bool undone;

	if (r->state >= ST_ISB || r->s2_by & bit(t->pe))
		return r;
	r = leaf_cut(m, r, t->start & ~mask, end);
	if (t->last && r->flags & F_BELOW) {
		/* The rest of the run may have another answer: cut it off there. */
		undone = table_undone(c, r->ipa);
		for (uint64_t at = (r->ipa | (span(m, 2) - 1)) + 1; at < r->end;
		     at += span(m, 2)) {
			if (table_undone(c, at) != undone) {
				r = leaf_cut(m, r, r->ipa, at);
				break;
			}
		}
		if (undone)
			why = R_LAST_LEVEL_ONLY;
	}
	if (why != R_NONE)
		;
	else if (r->state == ST_WRITTEN)
		why = R_TLBI_BEFORE_DSB;
	else if (t->bad)
		why = R_TLBI_BAD_OPERAND;
	else if (t->hint != ANY_LEVEL && r->levels != 1u << t->hint)
		why = R_TTL_MISMATCH;
	else if (!reaches(c, t))
		why = R_TLBI_NOT_BROADCAST;
	hit(m, r, t, why);
	return r;
}

static void hit_table(struct machine *m, struct ctx *c, struct rec *r,
		      const struct tlbi *t)
{
	enum rule why = R_NONE;

	if (r->state >= ST_ISB)
		return;
	if (r->state == ST_WRITTEN)
		why = R_TLBI_BEFORE_DSB;
	else if (t->last)
		why = R_LAST_LEVEL_ONLY;
	else if (t->bad)
		why = R_TLBI_BAD_OPERAND;
	/* With a hint only table entries above that level are sure to go. */
	else if (t->hint != ANY_LEVEL && r->level >= t->hint)
		why = R_TTL_MISMATCH;
	else if (!reaches(c, t))
		why = R_TLBI_NOT_BROADCAST;
	hit(m, r, t, why);
}

static void by_address(struct machine *m, struct ctx *c, const struct tlbi *t)
{
	struct rec *r, *next;

	c->by_address = m->step;
	if (!c->held)
		return;
	for (int l = c->tree->shape.start_level; l < 3; l++) {
		for (r = table_first(c, l, t->start);
		     r && r->level == l && r->ipa < t->end; r = table_next(r))
			hit_table(m, c, r, t);
	}
	for (r = leaf_first(c, t->start); r && r->ipa < t->end; r = next) {
		r = hit_leaf(m, c, r, t);
		next = leaf_next(r);
	}
}

/* A TLBI without an address: all of the VMID, or (no s2) its combined entries. */
static void whole(struct machine *m, struct ctx *c, const struct tlbi *t)
{
	enum state from = t->s2 ? ST_VISIBLE : ST_S2DONE;
	struct rec *r, *next;

	if (!t->s2 && m->pe[t->pe].hcr & HCR_TGE)
		return; /* with VHE it acts on the EL2&0 regime */
	c->s1 = m->step;
	/* No PE runs the tree, so no PE walks it: a write need not be visible. */
	if (t->s2 && !c->running)
		from = ST_WRITTEN;
	if (from == ST_VISIBLE) {
		TAILQ_FOREACH(r, &c->list[ST_WRITTEN], list)
			fails(m, r, t, R_TLBI_BEFORE_DSB);
	}
	/* Downwards, so that what moves up is not met again. */
	for (int st = ST_REPEATED; st >= (int)from; st--) {
		TAILQ_FOREACH_SAFE(r, &c->list[st], list, next) {
			/* This PE cannot know that the stage-2 TLBI is complete. */
			if (!t->s2 && !(r->s2_sure & bit(t->pe)) &&
			    !knows(m, t->pe, r->actor, r->acted))
				continue;
			if (reaches(c, t))
				advance(m, r, t, ST_S1);
			else if (st <= ST_S2DONE)
				fails(m, r, t, R_TLBI_NOT_BROADCAST);
		}
	}
}

static void repeat(struct machine *m, struct ctx *c, const struct tlbi *t)
{
	struct rec *r, *next;

	for (int st = ST_REPEATED; st >= ST_REPEAT; st--) {
		TAILQ_FOREACH_SAFE(r, &c->list[st], list, next) {
			if (r->s1_sure & bit(t->pe) && !t->local)
				advance(m, r, t, ST_REPEATED);
		}
	}
}

void s2m_tlbi(struct machine *m, unsigned pe, enum s2m_tlbi op, uint64_t operand)
{
	const struct pe *p = &m->pe[pe];
	struct tlbi t;
	struct ctx *c;

	event(m);
	m->count.tlbi[op]++;
	decode(m, pe, op, operand, &t);
	if (t.address)
		log_event(m, pe, "tlbi %s %#llx: %#llx-%#llx", kinds[op].name,
			  (unsigned long long)operand, (unsigned long long)t.start,
			  (unsigned long long)t.end);
	else
		log_event(m, pe, "tlbi %s", kinds[op].name);
	WATCH(m, .kind = S2M_EV_TLBI, .pe = pe, .op = op, .value = operand);
	if (kinds[op].range && !(m->features & S2M_TLBIRANGE)) {
		verdict(m, R_TLBI_UNDEFINED, (struct where){ .pe = pe, .ipa = t.start },
			"PE%u issues %s, which is UNDEFINED without FEAT_TLBIRANGE", pe,
			kinds[op].name);
		return;
	}
	LIST_FOREACH(c, &m->ctxs, all) {
		if (m->features & S2M_REPEAT_TLBI)
			repeat(m, c, &t);
		if (!t.all_vmids &&
		    (c == m->unmet || p->vttbr >> 48 != c->vmid || p->vttbr_unsynced)) {
			if (t.s2) {
				c->wrong.step = m->step;
				c->wrong.pe = pe;
				c->wrong.start = t.start;
				c->wrong.end = t.end;
			}
			continue;
		}
		if (t.address)
			by_address(m, c, &t);
		else
			whole(m, c, &t);
	}
}

/* ---- barriers ------------------------------------------------------------ */

static const struct {
	const char *name;
	bool dsb, all, loads, isb; /* all: to the inner shareable domain at least */
} barriers[] = {
	[S2M_DSB_ISHST] = { "dsb-ishst", .dsb = true, .all = true },
	[S2M_DSB_ISH] = { "dsb-ish", .dsb = true, .all = true, .loads = true },
	[S2M_DSB_SY] = { "dsb-sy", .dsb = true, .all = true, .loads = true },
	[S2M_DSB_NSHST] = { "dsb-nshst", .dsb = true },
	[S2M_DSB_NSH] = { "dsb-nsh", .dsb = true, .loads = true },
	[S2M_DMB_ISHST] = { "dmb-ishst", .all = true },
	[S2M_DMB_ISH] = { "dmb-ish", .all = true, .loads = true },
	[S2M_ISB] = { "isb", .isb = true },
};

const char *s2m_barrier_name(enum s2m_barrier b)
{
	return barriers[b].name;
}

static void retire(struct machine *m, struct rec *r, bool from_isb)
{
	if (!from_isb) {
		r->retired = m->step;
		m->epoch++;
		frames_guest_wrote(m, r, m->step);
	}
	rec_state(m, r, from_isb || m->features & S2M_ETS2 ? ST_RETIRED : ST_ISB);
	rec_settle(m, r);
}

/* Keeps the reason why this DSB does not complete the TLBI that r waits for. */
static void no_help(struct machine *m, struct rec *r, unsigned pe)
{
	if (r->actor != pe && !knows(m, pe, r->actor, r->acted))
		return;
	r->why = r->actor == pe ? R_TLBI_NOT_COMPLETED : R_DSB_OTHER_PE;
	r->why_step = m->step;
	r->why_pe = (uint8_t)pe;
}

/* The TLBI of pe that r waits for is complete. */
static void completed(struct machine *m, struct rec *r, unsigned pe)
{
	r->actor = (uint8_t)pe;
	if (r->state == ST_S2)
		rec_state(m, r, ST_S2DONE);
	else if (r->state == ST_S1 && m->features & S2M_REPEAT_TLBI)
		rec_state(m, r, ST_REPEAT);
	else
		retire(m, r, false);
}

static void complete(struct machine *m, struct ctx *c, unsigned pe, enum s2m_barrier b)
{
	struct rec *r, *next;

	/* Downwards, so that what moves up is not met again. */
	for (int st = ST_REPEATED; st >= ST_S2; st--) {
		TAILQ_FOREACH_SAFE(r, &c->list[st], list, next) {
			uint16_t own = barriers[b].loads && (barriers[b].all ||
							     (r->flags & F_LOCAL &&
							      r->actor == pe)) ?
					       bit(pe) :
					       0;

			r->s2_sure |= r->s2_by & own;
			r->s1_sure |= r->s1_by & own;
			if (st == ST_S2	      ? r->s2_by & own :
			    st == ST_S1	      ? r->s1_by & own :
			    st == ST_REPEATED ? r->again_by & own :
						0)
				completed(m, r, pe);
			else if (st != ST_S2DONE && st != ST_REPEAT)
				no_help(m, r, pe);
		}
	}
	if (!barriers[b].all)
		return;
	TAILQ_FOREACH_SAFE(r, &c->list[ST_WRITTEN], list, next) {
		/* Once one PE has read the new entry, every PE reads it, walkers too. */
		if (!knows(m, pe, r->writer, r->last) && !(r->seen & bit(pe)))
			continue;
		rec_state(m, r, ST_VISIBLE);
		rec_settle(m, r);
	}
}

void s2m_barrier(struct machine *m, unsigned pe, enum s2m_barrier b)
{
	struct ctx *c;

	event(m);
	log_event(m, pe, "%s", barriers[b].name);
	WATCH(m, .kind = S2M_EV_BARRIER, .pe = pe, .op = b);
	if (barriers[b].isb) {
		m->count.isb++;
		m->pe[pe].vttbr_unsynced = m->pe[pe].guard_unsynced = false;
		tlb_isb(m, pe);
		return;
	}
	if (barriers[b].all)
		m->pe[pe].ordered = m->step;
	if (!barriers[b].dsb) {
		m->count.dmb++;
		return;
	}
	m->count.dsb++;
	run_judge(m, pe, false);
	LIST_FOREACH(c, &m->ctxs, all)
		complete(m, c, pe, b);
	if (barriers[b].loads && barriers[b].all)
		data_dsb(m, pe, b == S2M_DSB_SY);
}

void tlb_seen(struct machine *m, unsigned pe, const struct page *p, unsigned slot)
{
	uint64_t ipa = p->ipa + slot * span(m, p->level), end = ipa + span(m, p->level);
	struct rec *r;
	struct ctx *c;

	LIST_FOREACH(c, &p->tree->ctxs, of_tree) {
		if (TAILQ_EMPTY(&c->list[ST_WRITTEN]))
			continue;
		for (r = leaf_first(c, ipa); r && r->ipa < end; r = leaf_next(r)) {
			if (r->state != ST_WRITTEN || r->writer == pe)
				continue;
			r = leaf_cut(m, r, ipa, end);
			r->seen |= bit(pe);
		}
		for (int l = p->level; l < 3; l++) {
			r = table_first(c, l, ipa);
			for (; r && r->level == l && r->ipa < end; r = table_next(r))
				r->seen |= bit(pe);
		}
	}
}

void tlb_isb(struct machine *m, unsigned pe)
{
	struct rec *r, *next;
	struct ctx *c;

	LIST_FOREACH(c, &m->ctxs, all) {
		TAILQ_FOREACH_SAFE(r, &c->list[ST_ISB], list, next) {
			if (r->actor == pe)
				retire(m, r, true);
		}
	}
}
