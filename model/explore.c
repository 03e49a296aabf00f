/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "explore_order.h"

#define HYPS 2u
#define GUESTS 2u
#define MAX_STATES (UINT64_C(4) << 20)

enum kind { KIND_NONE, KIND_BAD, KIND_RETURNED };
enum line { LINE_ABSENT, LINE_CLEAN, LINE_DIRTY };
enum alias { ALIAS_UNDECIDED, ALIAS_WB, ALIAS_NC };
enum access { ACCESS_NONE, ACCESS_READ, ACCESS_WRITE };

/* Bytes only, no padding: compared and hashed by content. */
struct guest {
	uint8_t walk_cache;	     /* the table is held */
	uint8_t s2[EXPLORE_PAGES];   /* frames held, a bit each: stage-2-only */
	uint8_t comb[EXPLORE_PAGES]; /* combined stage 1 and 2 */
	uint8_t access, page, frame; /* in flight, translated, not performed */
	uint8_t stale;		     /* it hit after its entry was changed */
};

struct data {
	uint8_t mem, line, line_val;
	uint8_t last; /* what the guest wrote last */
};

struct state {
	uint8_t pc;
	uint8_t bad;		      /* enum explore_rule */
	uint8_t mem[EXPLORE_ENTRIES]; /* the entries as walkers see them */
	uint8_t freed, gone;	      /* the table; frames, a bit each */
	uint8_t alias, writes;
	uint8_t stale_wrote;
	uint8_t cleaning[HYPS]; /* frames whose clean is not complete */
	struct guest guest[GUESTS];
	struct data data[EXPLORE_FRAMES];
	struct order_state order;
};

struct run {
	const struct explore_program *p;
	uint32_t look_for;
	unsigned hyps, guests, writes;
	uint8_t read_frames; /* whose data matters */
	uint8_t pages;	     /* whose translation the program changes */
};

static const char *const entry_names[] = { "L2[0]", "L3[0]", "L3[1]" };
static const char *const frame_names[] = { "A", "B", "C", "wild" };
static const char *const desc_names[] = {
	"0", "busy", "table T", "page A", "page B", "page C", "wild",
};
static const char *const tlbi_names[] = {
	"",	   "IPAS2E1IS", "IPAS2LE1IS", "VMALLE1IS", "VMALLS12E1IS",
	"IPAS2E1", "VMALLE1",	"VMALLS12E1",
};
static const char *const page_names[] = { "", " page 0", " page 1", " pages 0-1" };
static const char *const rule_names[] = {
	"nothing",     "stale-access", "lost-write",	     "freed-walk",
	"wild-access", "two-frames",   "harmless-stale-hit",
};

static bool looks_for(const struct run *r, enum explore_rule rule)
{
	return r->look_for >> rule & 1;
}

static bool is_frame(uint8_t desc)
{
	return desc >= EXPLORE_MAP_A;
}

/* The tables in memory map the page to the frame. */
static bool mapped(const struct state *st, unsigned page, unsigned frame)
{
	return st->mem[EXPLORE_ROOT] == EXPLORE_TABLE &&
	       st->mem[EXPLORE_L3_0 + page] == EXPLORE_MAP_A + frame;
}

/* ---- the guest's PEs ------------------------------------------------------- */

static void fill(const struct run *r, const struct state *st, unsigned g,
		 struct explore_search *s)
{
	const struct guest *gu = &st->guest[g];
	unsigned pe = r->hyps + g;
	struct state to;

	if (st->mem[EXPLORE_ROOT] == EXPLORE_TABLE && !gu->walk_cache) {
		to = *st;
		to.guest[g].walk_cache = 1;
		explore_found(s, &to, "PE%u  walker reads L2[0], holds a pointer to T",
			      pe);
	}
	for (unsigned p = 0; p < EXPLORE_PAGES; p++) {
		uint8_t desc = st->mem[EXPLORE_L3_0 + p];

		if (!(r->pages >> p & 1))
			continue;
		if (gu->walk_cache) {
			to = *st;
			if (st->freed && looks_for(r, EXPLORE_FREED_WALK))
				to.bad = EXPLORE_FREED_WALK;
			if (is_frame(desc))
				to.guest[g].s2[p] |=
					(uint8_t)(1u << (desc - EXPLORE_MAP_A));
			explore_found(s, &to, "PE%u  walker reads L3[%u] in %sT: %s", pe,
				      p, st->freed ? "the freed " : "", desc_names[desc]);
		}
		for (unsigned f = 0; f < EXPLORE_FRAMES; f++) {
			if (!(gu->s2[p] >> f & 1))
				continue;
			to = *st;
			to.guest[g].comb[p] |= (uint8_t)(1u << f);
			if (looks_for(r, EXPLORE_TWO_FRAMES) &&
			    (to.guest[g].comb[p] & (to.guest[g].comb[p] - 1)))
				to.bad = EXPLORE_TWO_FRAMES;
			explore_found(s, &to,
				      "PE%u  TLB makes a combined entry of the "
				      "stage-2 one: page %u to %s",
				      pe, p, frame_names[f]);
		}
	}
}

static void begin(const struct run *r, const struct state *st, unsigned g,
		  struct explore_search *s)
{
	unsigned writes = st->writes;

	for (unsigned i = 0; i < r->guests; i++)
		writes += st->guest[i].access == ACCESS_WRITE;
	for (unsigned p = 0; p < EXPLORE_PAGES; p++)
		for (unsigned f = 0; f < EXPLORE_FRAMES; f++) {
			bool stale = !mapped(st, p, f);

			if (!(st->guest[g].comb[p] >> f & 1))
				continue;
			for (uint8_t a = ACCESS_READ; a <= ACCESS_WRITE; a++) {
				struct state to = *st;

				if (a == ACCESS_WRITE && writes == r->writes)
					continue;
				to.guest[g].access = a;
				to.guest[g].page = (uint8_t)p;
				to.guest[g].frame = (uint8_t)f;
				to.guest[g].stale = stale &&
						    looks_for(r, EXPLORE_HARMLESS);
				explore_found(s, &to,
					      "PE%u  guest %s page %u: TLB hit, frame %s"
					      "%s",
					      r->hyps + g,
					      a == ACCESS_READ ? "reads" : "writes", p,
					      frame_names[f], stale ? " (stale)" : "");
			}
		}
}

static void perform(const struct run *r, const struct state *st, unsigned g,
		    struct explore_search *s)
{
	const struct guest *gu = &st->guest[g];
	bool write = gu->access == ACCESS_WRITE, nc = st->alias == ALIAS_NC;
	struct state to = *st;
	struct data *d = &to.data[gu->frame];

	to.guest[g].access = ACCESS_NONE;
	to.guest[g].page = to.guest[g].frame = to.guest[g].stale = 0;
	if (write) {
		to.writes++;
		to.stale_wrote |= gu->stale;
	}
	if (gu->frame == EXPLORE_WILD && looks_for(r, EXPLORE_WILD_ACCESS))
		to.bad = EXPLORE_WILD_ACCESS;
	if ((st->gone >> gu->frame & 1) && looks_for(r, EXPLORE_STALE_ACCESS))
		to.bad = EXPLORE_STALE_ACCESS;
	if (r->read_frames >> gu->frame & 1) {
		if (write)
			d->last = to.writes;
		if (write && nc) {
			d->mem = to.writes;
		} else if (write) {
			d->line = LINE_DIRTY;
			d->line_val = to.writes;
		} else if (!nc && d->line == LINE_ABSENT) {
			d->line = LINE_CLEAN;
			d->line_val = d->mem;
		}
	}
	if (write)
		explore_found(s, &to,
			      "PE%u  guest's write of %u to frame %s is performed (%s)",
			      r->hyps + g, to.writes, frame_names[gu->frame],
			      nc ? "to memory, past the cache" : "in the cache");
	else
		explore_found(s, &to, "PE%u  guest's read of frame %s is performed",
			      r->hyps + g, frame_names[gu->frame]);
}

/* A TLBI takes effect once accesses by the entries it removes have been performed. */
static void land(const struct run *r, const struct state *st, unsigned t, unsigned g,
		 struct explore_search *s)
{
	const struct order_tlbi *tlbi = &st->order.tlbi[t];
	unsigned pe = r->hyps + g;
	struct state to = *st;
	struct guest *gu = &to.guest[g];
	bool s12 = tlbi->kind == EXPLORE_VMALLS12E1IS;

	if (s12 || tlbi->kind == EXPLORE_VMALLE1IS) {
		/* The access in flight uses a combined entry. */
		if (gu->access != ACCESS_NONE)
			return;
		memset(gu->comb, 0, sizeof(gu->comb));
	}
	for (unsigned p = 0; p < EXPLORE_PAGES; p++) {
		if (tlbi->kind == EXPLORE_VMALLE1IS || (!s12 && !(tlbi->arg >> p & 1)))
			continue;
		gu->s2[p] = 0;
		if (tlbi->kind != EXPLORE_IPAS2LE1IS)
			gu->walk_cache = 0;
	}
	order_landed(&to.order, t, pe);
	explore_found(s, &to, "PE%u  PE%u's TLBI %s%s takes effect", pe, tlbi->pe,
		      tlbi_names[tlbi->kind], page_names[tlbi->arg]);
}

/* ---- stores, cleans, the data cache ------------------------------------------ */

static void memory(const struct run *r, const struct state *st, struct explore_search *s)
{
	struct state to;

	for (unsigned pe = 0; pe < r->hyps; pe++) {
		for (unsigned i = 0; i < st->order.nr_ops[pe]; i++) {
			struct order_op op = st->order.op[pe][i];

			if (op.kind != ORDER_STORE || !order_ready(&st->order, pe, i))
				continue;
			to = *st;
			to.mem[op.pa] = op.val;
			order_remove(&to.order, pe, i);
			explore_found(s, &to, "PE%u  %s = %s becomes visible to walkers",
				      pe, entry_names[op.pa], desc_names[op.val]);
		}
		for (unsigned f = 0; f < EXPLORE_FRAMES; f++) {
			if (!(st->cleaning[pe] >> f & 1))
				continue;
			to = *st;
			to.cleaning[pe] &= (uint8_t) ~(1u << f);
			if (to.data[f].line == LINE_DIRTY)
				to.data[f].mem = to.data[f].line_val;
			to.data[f].line = LINE_ABSENT;
			to.data[f].line_val = 0;
			explore_found(s, &to, "PE%u  the clean of %s takes effect", pe,
				      frame_names[f]);
		}
	}
	for (unsigned f = 0; f < EXPLORE_FRAMES; f++) {
		if (!(r->read_frames >> f & 1))
			continue;
		to = *st;
		if (st->data[f].line == LINE_ABSENT) {
			to.data[f].line = LINE_CLEAN;
			to.data[f].line_val = st->data[f].mem;
			explore_found(s, &to,
				      "cache fetches frame %s through the hypervisor's "
				      "alias: %u",
				      frame_names[f], st->data[f].mem);
			continue;
		}
		if (st->data[f].line == LINE_DIRTY)
			to.data[f].mem = st->data[f].line_val;
		to.data[f].line = LINE_ABSENT;
		to.data[f].line_val = 0;
		explore_found(s, &to, "cache evicts frame %s", frame_names[f]);
	}
}

/* ---- the hypervisor's program --------------------------------------------------- */

static void read_back(const struct run *r, const struct explore_event *e,
		      struct state *to, struct explore_search *s)
{
	struct data *d = &to->data[e->a];

	if (d->line == LINE_ABSENT) {
		d->line = LINE_CLEAN;
		d->line_val = d->mem;
	}
	if (d->line_val != d->last && looks_for(r, EXPLORE_LOST_WRITE))
		to->bad = EXPLORE_LOST_WRITE;
	else if (to->stale_wrote && d->last && looks_for(r, EXPLORE_HARMLESS))
		to->bad = EXPLORE_HARMLESS;
	explore_found(s, to,
		      "PE%u  hypervisor reads frame %s: %u, the guest wrote %u last",
		      e->pe, frame_names[e->a], d->line_val, d->last);
}

static void barrier(const struct explore_event *e, struct state *to,
		    struct explore_search *s)
{
	static const struct {
		enum order_barrier b;
		const char *name;
	} kinds[] = {
		[EXPLORE_DSB_ISHST] = { ORDER_DSB_ISHST, "DSB ISHST" },
		[EXPLORE_DSB_ISH] = { ORDER_DSB_ISH, "DSB ISH" },
		[EXPLORE_DSB_SY] = { ORDER_DSB_SY, "DSB SY" },
		[EXPLORE_ISB] = { ORDER_ISB, "ISB" },
	};
	bool waits_for_cleans = e->op == EXPLORE_DSB_ISH || e->op == EXPLORE_DSB_SY;

	if ((waits_for_cleans && to->cleaning[e->pe]) ||
	    !order_barrier(&to->order, e->pe, kinds[e->op].b, false))
		return;
	explore_found(s, to, "PE%u  %s", e->pe, kinds[e->op].name);
}

static void event(const struct run *r, const struct state *st, struct explore_search *s)
{
	const struct explore_event *e = &r->p->event[st->pc];
	uint8_t broadcast = (uint8_t)(((1u << r->guests) - 1) << r->hyps);
	struct state to = *st;
	struct order_op op = { .xlat = ORDER_DONE, .page = ORDER_NO_PAGE };

	to.pc++;
	switch ((enum explore_op)e->op) {
	case EXPLORE_WRITE:
		op.kind = ORDER_STORE;
		op.pa = e->a;
		op.val = e->b;
		if (order_issue(&to.order, e->pe, op))
			explore_found(s, &to, "PE%u  writes %s = %s", e->pe,
				      entry_names[e->a], desc_names[e->b]);
		break;
	case EXPLORE_DMB_ISH:
		op.kind = ORDER_DMB;
		if (order_issue(&to.order, e->pe, op))
			explore_found(s, &to, "PE%u  DMB ISH", e->pe);
		break;
	case EXPLORE_DSB_ISHST:
	case EXPLORE_DSB_ISH:
	case EXPLORE_DSB_SY:
	case EXPLORE_ISB:
		barrier(e, &to, s);
		break;
	case EXPLORE_TLBI:
		if (order_tlbi(&to.order, e->pe, e->a, e->b,
			       e->a < EXPLORE_IPAS2E1 ? broadcast : 0))
			explore_found(s, &to, "PE%u  issues TLBI %s%s", e->pe,
				      tlbi_names[e->a], page_names[e->b]);
		break;
	case EXPLORE_CLEAN:
		to.cleaning[e->pe] |= (uint8_t)(1u << e->a);
		explore_found(s, &to, "PE%u  issues DC CIVAC over frame %s", e->pe,
			      frame_names[e->a]);
		break;
	case EXPLORE_FREE:
		to.freed = 1;
		explore_found(s, &to, "PE%u  frees T", e->pe);
		break;
	case EXPLORE_REUSE:
		to.mem[EXPLORE_L3_0] = to.mem[EXPLORE_L3_1] = EXPLORE_MAP_WILD;
		explore_found(s, &to,
			      "PE%u  the next owner of T's page writes data into it",
			      e->pe);
		break;
	case EXPLORE_RETURN:
	case EXPLORE_GIVE:
		to.gone |= e->a;
		explore_found(s, &to,
			      e->op == EXPLORE_GIVE ? "PE%u  gives frames%s%s%s away" :
						      "PE%u  unmap returns: frames%s%s%s",
			      e->pe, e->a & 1 ? " A" : "", e->a & 2 ? " B" : "",
			      e->a & 4 ? " C" : "");
		break;
	case EXPLORE_READ:
		read_back(r, e, &to, s);
		break;
	case EXPLORE_HANDOFF:
		/* When the store-release is visible, so are all stores before it. */
		if (!st->order.nr_ops[e->pe])
			explore_found(s, &to,
				      "PE%u  store-release; PE%u  load-acquire reads it",
				      e->pe, e->a);
		break;
	}
}

/* ---- search --------------------------------------------------------------------- */

static void next(const void *sys, const void *state, struct explore_search *s)
{
	const struct run *r = sys;
	const struct state *st = state;

	if (st->alias == ALIAS_UNDECIDED) {
		struct state to = *st;

		to.alias = ALIAS_NC;
		explore_found(s, &to, "guest maps its memory Normal non-cacheable");
		to.alias = ALIAS_WB;
		explore_found(s, &to, "guest maps its memory cacheable");
		return;
	}
	if (st->pc < r->p->nr_events)
		event(r, st, s);
	memory(r, st, s);
	for (unsigned g = 0; g < r->guests; g++) {
		fill(r, st, g, s);
		if (st->guest[g].access == ACCESS_NONE)
			begin(r, st, g, s);
		else
			perform(r, st, g, s);
	}
	for (unsigned t = 0; t < st->order.nr_tlbis; t++)
		for (unsigned g = 0; g < r->guests; g++)
			if (st->order.tlbi[t].todo >> (r->hyps + g) & 1)
				land(r, st, t, g, s);
}

static unsigned kind(const void *sys, const void *state)
{
	const struct run *r = sys;
	const struct state *st = state;

	if (st->bad)
		return KIND_BAD;
	return st->pc == r->p->nr_events ? KIND_RETURNED : KIND_NONE;
}

static bool well_formed(const struct explore_event *e)
{
	switch ((enum explore_op)e->op) {
	case EXPLORE_WRITE:
		return e->pe < HYPS && e->a < EXPLORE_ENTRIES &&
		       e->b < EXPLORE_MAP_WILD &&
		       (e->a == EXPLORE_ROOT ? e->b <= EXPLORE_TABLE :
					       e->b != EXPLORE_TABLE);
	case EXPLORE_TLBI:
		return e->pe < HYPS && e->a >= EXPLORE_IPAS2E1IS &&
		       e->a <= EXPLORE_VMALLS12E1 && e->b < 1u << EXPLORE_PAGES;
	case EXPLORE_CLEAN:
	case EXPLORE_READ:
		return e->pe < HYPS && e->a < EXPLORE_WILD;
	case EXPLORE_RETURN:
	case EXPLORE_GIVE:
		return e->pe < HYPS && e->a < 1u << EXPLORE_WILD;
	case EXPLORE_HANDOFF:
		return e->pe < HYPS && e->a < HYPS;
	default:
		return e->pe < HYPS && e->op <= EXPLORE_HANDOFF;
	}
}

int explore_run(const struct explore_program *p, struct explore_result *res)
{
	struct run r = {
		.p = p,
		.hyps = 1,
		.guests = p->guests ? p->guests : 1,
		.writes = p->writes ? p->writes : 2,
		.look_for = p->look_for ? p->look_for : EXPLORE_LOOK_ALL,
	};
	struct explore_space space = {
		.sys = &r,
		.size = sizeof(struct state),
		.max_states = p->max_states ? p->max_states : MAX_STATES,
		.next = next,
		.kind = kind,
		.last = 1u << KIND_BAD,
		.stop = 1u << KIND_BAD,
	};
	struct explore_search *s;
	const struct state *bad;
	struct state st;
	bool complete;

	memset(res, 0, sizeof(*res));
	if (r.guests > GUESTS || p->nr_events > EXPLORE_EVENTS)
		return -1;
	for (unsigned i = 0; i < p->nr_events; i++) {
		const struct explore_event *e = &p->event[i];

		if (!well_formed(e))
			return -1;
		if (e->pe == 1 || (e->op == EXPLORE_HANDOFF && e->a == 1))
			r.hyps = 2;
		if (e->op == EXPLORE_READ)
			r.read_frames |= (uint8_t)(1u << e->a);
		if (e->op == EXPLORE_WRITE && e->a != EXPLORE_ROOT)
			r.pages |= (uint8_t)(1u << (e->a - EXPLORE_L3_0));
		else if (e->op == EXPLORE_WRITE || e->op == EXPLORE_FREE)
			r.pages = (1u << EXPLORE_PAGES) - 1;
	}
	s = explore_search_new(&space);
	if (!s)
		return -1;
	memset(&st, 0, sizeof(st));
	st.mem[EXPLORE_ROOT] = EXPLORE_TABLE;
	st.mem[EXPLORE_L3_0] = EXPLORE_MAP_A;
	st.mem[EXPLORE_L3_1] = EXPLORE_MAP_B;
	st.alias = p->fwb ? ALIAS_WB : ALIAS_UNDECIDED;
	explore_found(s, &st, "start");
	complete = explore_search_run(s);
	res->states = explore_search_states(s);
	res->returned = explore_search_count(s, KIND_RETURNED);
	bad = explore_search_first(s, KIND_BAD);
	if (bad) {
		res->verdict = EXPLORE_FOUND;
		res->rule = bad->bad;
		res->steps = explore_search_path(s, KIND_BAD, &res->nr_steps);
	} else {
		res->verdict = complete ? EXPLORE_SAFE : EXPLORE_GAVE_UP;
	}
	explore_search_free(s);
	return bad && !res->steps ? -1 : 0;
}

void explore_result_free(struct explore_result *res)
{
	free(res->steps);
	memset(res, 0, sizeof(*res));
}

const char *explore_rule_name(enum explore_rule r)
{
	return rule_names[r];
}
