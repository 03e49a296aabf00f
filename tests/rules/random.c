/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random events, right and wrong, on a small machine. Whatever a program does, the
 * machine must not crash, and its internal counts must be consistent (checked after every
 * 64 events). After everything is invalidated, nothing may be held.
 *
 *         rules-random [SEED [ROUNDS [FOLDER]]]
 *
 * FOLDER: for each seed a trace, SEED.trace, and SEED.verdicts: step, rule, address.
 */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "trace_out.h"

#define TABLES 24u
#define ROOTS 2u
#define EVENTS 4000u
#define FRAMES UINT64_C(0x80000000)

/* A tree of one root table at level 1. */
struct geometry {
	unsigned granule;
	uint32_t features;
	uint64_t vtcr;
};
#define DS (UINT64_C(1) << 32 | 6 << 16)
#define LPA (6 << 16)
static const struct geometry geometries[] = {
	{ 12, 0, 25 | 1 << 6 },		  { 12, S2M_LPA2, 25 | 1 << 6 | DS },
	{ 14, 0, 17 | 2 << 6 | 2 << 14 }, { 14, S2M_LPA2, 17 | 2 << 6 | 2 << 14 | DS },
	{ 16, 0, 16 | 2 << 6 | 1 << 14 }, { 16, 0, 12 | 2 << 6 | 1 << 14 | LPA },
};

static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

struct bed {
	struct machine *m;
	uint64_t table[TABLES]; /* 0: not taken */
	uint64_t root[ROOTS];	/* the second may be given back, and taken again */
	uint64_t page, block, table_span; /* sizes of entries: level 3, 2, 1 */
};

static uint64_t ipa(const struct bed *b)
{
	if (!below(8))
		return below(4) * b->table_span;
	return b->table_span + below(3) * b->block + below(6) * b->page;
}

static uint64_t range(const struct bed *b)
{
	return b->page << below(10);
}

static uint64_t frame(const struct bed *b)
{
	return FRAMES + below(4) * b->block;
}

static uint64_t some_table(const struct bed *b)
{
	for (;;) {
		uint64_t pa = b->table[below(TABLES)];

		if (pa)
			return pa;
	}
}

static uint64_t some_root(const struct bed *b)
{
	return b->root[below(ROOTS)];
}

static uint64_t value(const struct bed *b)
{
	static const uint64_t mem[] = { 6, 5, 15, 1 };
	uint64_t attr = below(4) << 6 | below(2) << 10 | mem[below(4)] << 2;

	attr |= below(4) ? UINT64_C(1) << 54 : 0;  /* XN */
	attr |= below(8) ? 0 : UINT64_C(1) << 51;  /* DBM */
	attr |= below(32) ? 0 : below(4) << 8;	   /* SH, or address */
	attr |= below(32) ? 0 : below(16) << 12;   /* address, if not of 4K */
	attr |= below(8) ? 0 : UINT64_C(1) << 52;  /* Contiguous */
	attr |= below(16) ? 0 : UINT64_C(1) << 53; /* with XNX: EL1 the other way */
	attr |= below(16) ? 0 : UINT64_C(1) << 16; /* nT, or address */

	switch (below(6)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return frame(b) | attr | 1;
	case 3:
	case 4:
		return (frame(b) + below(6) * b->page) | attr | 3;
	default:
		return some_table(b) | 3;
	}
}

static void one(struct bed *b)
{
	struct machine *m = b->m;
	unsigned pe = (unsigned)below(m->pes);
	const uint64_t tg = (s2m_granule_shift(m) - 10) / 2;
	uint64_t entry = some_table(b) + below(6) * 8, *t, pa;

	switch (below(22)) {
	case 0:
	case 1:
	case 2:
	case 3:
		s2m_write(m, pe, entry, value(b), (enum s2m_order)below(2));
		break;
	case 4:
		s2m_xchg(m, pe, entry, value(b));
		break;
	case 5:
		s2m_cas(m, pe, entry, s2m_read(m, pe, entry), value(b));
		break;
	case 6:
	case 7:
	case 8:
		s2m_barrier(m, pe, (enum s2m_barrier)below(S2M_ISB + 1));
		break;
	case 9:
	case 10:
		pa = ipa(b) >> (below(8) ? s2m_granule_shift(m) : 16);
		if (below(2))
			pa |= below(16) << 44;
		else
			pa |= below(4) << 37 | below(6) << 39 | below(3) << 44 |
			      (below(8) ? tg : below(4)) << 46;
		s2m_tlbi(m, pe, (enum s2m_tlbi)below(S2M_TLBI_KINDS), pa);
		break;
	case 11:
		t = &b->table[1 + below(TABLES - 1)];
		if (*t && *t != b->root[0]) {
			s2m_table_give(m, pe, *t, 1);
			*t = 0;
		} else if (!*t) {
			*t = s2m_table_take(m, pe, 1, 1);
			if (below(4))
				s2m_fill(m, pe, *t, b->page, 0);
		}
		break;
	case 12:
		s2m_cache(m, pe, (enum s2m_dc)below(3),
			  frame(b) + below(2) * below(b->page), 1 + below(range(b)));
		break;
	case 13:
		s2m_handoff(m, pe, (unsigned)below(m->pes));
		break;
	case 14:
		s2m_claim_unmapped(m, pe, some_root(b), ipa(b), range(b),
				   (unsigned)below(2));
		break;
	case 15:
		s2m_claim_frame_free(m, pe, frame(b), range(b));
		break;
	case 16:
		s2m_claim_wrprotected(m, pe, some_root(b), ipa(b), range(b));
		break;
	case 17:
		if (below(2))
			s2m_agent_tlbi(m, pe, ipa(b), below(2) ? 0 : range(b));
		else if (below(2))
			s2m_walker_enter(m, pe);
		else
			s2m_walker_leave(m, pe);
		break;
	case 18:
		if (below(4))
			s2m_guest_leave(m, pe);
		else
			s2m_guest_enter(m, pe, some_root(b) | below(2) << 48);
		break;
	case 19:
		if (below(4))
			s2m_guest_write(m, pe, some_root(b), ipa(b));
		else
			s2m_guest_writes(m, some_root(b), ipa(b), range(b),
					 below(2) * state);
		break;
	case 20:
		if (below(2))
			s2m_dirty_found(m, pe, some_root(b), ipa(b), range(b));
		else
			s2m_claim_harvested(m, pe, some_root(b), ipa(b), range(b));
		break;
	default:
		if (below(2))
			s2m_sysreg(m, pe, below(2) ? S2M_TCR_EL1 : S2M_SCTLR_EL1,
				   below(2) * 0x800081);
		else
			s2m_sysreg(m, pe, S2M_VTTBR_EL2, some_root(b) | below(3) << 48);
		break;
	}
}

static void fail(const struct bed *b, const char *what)
{
	printf("step %llu: %s\n", (unsigned long long)s2m_step(b->m), what);
	exit(1);
}

static void check(const struct bed *b)
{
	struct machine *m = b->m;
	uint32_t refs[TABLES * 4] = { 0 };
	struct tree *t;
	struct ctx *c;

	LIST_FOREACH(t, &m->trees, all) {
		LIST_FOREACH(c, &t->ctxs, of_tree) {
			uint64_t held = 0, leaves = 0, end = 0;
			struct rec *r;

			for (int st = 0; st < STATES; st++) {
				TAILQ_FOREACH(r, &c->list[st], list) {
					held += rec_held(r);
					leaves += r->kind == K_LEAF;
					if (r->state != st || r->ctx != c ||
					    r->ipa >= r->end)
						fail(b, "a record in the wrong list");
					if (r->kind == K_TABLE)
						refs[page_at(m, r->pa) - m->page]++;
				}
			}
			TAILQ_FOREACH(r, &c->orphans, list)
				held += rec_held(r);
			if (held != c->held)
				fail(b, "held does not count the records held");
			for (r = leaf_first(c, 0); r; r = leaf_next(r)) {
				if (r->ipa < end)
					fail(b, "two records overlap");
				end = r->end;
				leaves--;
			}
			if (leaves)
				fail(b, "a leaf record is not in its tree");
		}
	}
	for (uint64_t i = 0; i < m->pages; i++) {
		if (refs[i] != m->page[i].refs)
			fail(b, "a page's refs do not count the table records");
	}
}

/*
 * Frames count the leaf records that name them. This check comes last, because it changes
 * the counts.
 */
static void check_frames(const struct bed *b)
{
	struct machine *m = b->m;
	struct tree *t;
	struct ctx *c;
	struct rec *r;

	LIST_FOREACH(t, &m->trees, all) {
		LIST_FOREACH(c, &t->ctxs, of_tree) {
			for (r = leaf_first(c, 0); r; r = leaf_next(r))
				frames_recorded(m, r, -1);
			TAILQ_FOREACH(r, &c->orphans, list)
				frames_recorded(m, r, -1);
		}
	}
	if (frames_have_recs(m, 0, UINT64_C(1) << 52))
		fail(b, "a frame counts a record that is not there");
}

static void finish(struct bed *b)
{
	struct machine *m = b->m;
	struct ctx *c;

	for (unsigned pe = 0; pe < m->pes; pe++)
		s2m_barrier(m, pe, S2M_DSB_ISH);
	/* Each PE twice: with the erratum, one PE cannot complete what another began. */
	for (unsigned i = 0; i < 2 * m->pes; i++) {
		s2m_tlbi(m, i / 2, S2M_ALLE1IS, 0);
		s2m_barrier(m, i / 2, S2M_DSB_ISH);
		s2m_barrier(m, i / 2, S2M_ISB);
	}
	s2m_agent_tlbi(m, 0, 0, 0);
	LIST_FOREACH(c, &m->ctxs, all) {
		if (c->held)
			fail(b, "held after everything was invalidated");
	}
}

static struct trace_out *trace_open(struct machine *m, const char *folder, uint64_t seed)
{
	struct trace_out *trace;
	char path[512];

	snprintf(path, sizeof(path), "%s/%llu.trace", folder, (unsigned long long)seed);
	trace = trace_out_open(path, TRACE_FOR_JUDGE);
	if (!trace)
		exit(2);
	trace_out_watch(trace, m);
	return trace;
}

static void trace_close(const struct machine *m, struct trace_out *trace,
			const char *folder, uint64_t seed)
{
	char path[512], why[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%llu.verdicts", folder,
		 (unsigned long long)seed);
	f = fopen(path, "w");
	if (!f || trace_out_close(trace, why, sizeof(why)))
		exit(2);
	for (unsigned i = 0; i < s2m_violations_kept(m); i++) {
		const struct s2m_violation *v = s2m_violation(m, i);

		fprintf(f, "%llu %s %llx\n", (unsigned long long)v->step, v->rule,
			(unsigned long long)v->ipa);
	}
	if (fclose(f))
		exit(2);
}

static uint64_t run(uint64_t seed, const char *folder)
{
	static const uint32_t features[] = {
		0,
		S2M_FWB,
		S2M_FWB | S2M_TLBIRANGE | S2M_TTL,
		S2M_AGENT | S2M_TLBIRANGE,
		S2M_HAFDBS | S2M_FWB | S2M_TLBIRANGE,
		S2M_REPEAT_TLBI | S2M_ETS2,
		S2M_DIC,
		S2M_BBM1 | S2M_CONFLICTS | S2M_XNX,
		S2M_BBM2 | S2M_CONFLICTS | S2M_HAFDBS,
		S2M_BBM2 | S2M_CONFLICTS | S2M_FWB | S2M_AGENT,
		S2M_SPECULATIVE_AT,
		S2M_COLD_TLBS | S2M_AGENT,
		S2M_COLD_TLBS | S2M_SELF_SYNC,
	};
	struct machine_config cfg = { .pes = 3,
				      .table_pages = TABLES * 4,
				      .max_violations = folder ? 2 * EVENTS : 0 };
	const struct geometry *g;
	struct bed b = { 0 };
	struct trace_out *trace;
	uint64_t found;

	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	cfg.features = features[below(sizeof(features) / sizeof(features[0]))];
	g = &geometries[below(sizeof(geometries) / sizeof(geometries[0]))];
	cfg.features |= g->features;
	cfg.granule_shift = g->granule;
	cfg.agent_lacks = below(2) ? (uint32_t)state : 0;
	b.page = UINT64_C(1) << g->granule;
	b.block = desc_span(g->granule, 2);
	b.table_span = desc_span(g->granule, 1);
	b.m = machine_new(&cfg);
	if (!b.m)
		exit(2);
	trace = folder ? trace_open(b.m, folder, seed) : NULL;
	s2m_shuffle(b.m, below(2) * seed);
	for (unsigned i = 0; i < TABLES / 2; i++) {
		b.table[i] = s2m_table_take(b.m, 0, 1, 1);
		s2m_fill(b.m, 0, b.table[i], b.page, 0);
	}
	b.root[0] = b.table[0];
	b.root[1] = b.table[4];
	s2m_sysreg(b.m, 0, S2M_VTCR_EL2, g->vtcr | below(4) << 21);
	s2m_write(b.m, 0, b.root[0] + 8, b.table[1] | 3, S2M_RELEASE);
	s2m_write(b.m, 0, b.table[1], b.table[2] | 3, S2M_RELEASE);
	s2m_write(b.m, 0, b.table[1] + 8, b.table[3] | 3, S2M_RELEASE);
	for (unsigned i = 0; i < ROOTS; i++) {
		s2m_sysreg(b.m, 0, S2M_VTTBR_EL2, b.root[i] | (uint64_t)i << 48);
		if (!tree_find(b.m, b.root[i]))
			fail(&b, "the tree is not known");
	}
	for (unsigned i = 0; i < EVENTS; i++) {
		one(&b);
		if (i % 64 == 0)
			check(&b);
	}
	finish(&b);
	check(&b);
	check_frames(&b);
	found = s2m_violations(b.m);
	if (trace)
		trace_close(b.m, trace, folder, seed);
	machine_free(b.m);
	return found;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 100, found = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		printf("seed %llu\n", (unsigned long long)(seed + i));
		fflush(stdout);
		found += run(seed + i, argc > 3 ? argv[3] : NULL);
	}
	printf("%llu violations found\n", (unsigned long long)found);
	return !found;
}
