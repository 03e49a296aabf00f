/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine and a second judge (naive.h) see the same random events: several trees that
 * take pages from one pool, under VMIDs that go round, frames that move between addresses
 * and types, cleans of any length. After each event both say whether it was wrong. Most
 * events are right, or there would be no state in which to be wrong; the first that is
 * wrong ends a program.
 *
 *         rules-compare [SEED [PROGRAMS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "naive.h"

#define EVENTS 160u
#define PAGE UINT64_C(4096)
#define BASE UINT64_C(0x100000)
#define PA UINT64_C(0x80000000)
/* 30 bits of IPA: the root is a level-2 table. 48 bits of PA. */
#define VTCR (5u << 16 | 34u)

struct bed {
	struct machine *m;
	struct naive n;
	bool fwb;
	unsigned tables, frames; /* those that the program uses */
	unsigned past;		 /* the end of the last clean */
};

static uint64_t state;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 11) % n;
}

/* ---- for the machine ---- */

static uint64_t table_pa(unsigned page)
{
	return BASE + page * PAGE;
}

static uint64_t ipa(unsigned i)
{
	return (i / SLOTS << 21) + i % SLOTS * PAGE;
}

static uint64_t descriptor(const struct bed *b, unsigned v)
{
	static const uint8_t memattr[2][KINDS] = {
		{ [WB] = 15, [NC] = 5, [DEVICE] = 1, [ANY] = 10 },
		{ [WB] = 6, [NC] = 5, [DEVICE] = 1, [ANY] = 7 },
	};

	if (v < 16)
		return v ? table_pa(v - 1) | 3 : 0;
	v -= 16;
	/* XN, AF, inner shareable, readable */
	return UINT64_C(1) << 54 | (PA + v / 8 * PAGE) | 1 << 10 | 3 << 8 |
	       (v % 2 ? 3 : 1) << 6 | (uint64_t)memattr[b->fwb][v / 2 % KINDS] << 2 | 3;
}

static void invalidate(struct machine *m, const struct event *e)
{
	s2m_sysreg(m, 0, S2M_VTTBR_EL2, (uint64_t)e->value << 48);
	s2m_barrier(m, 0, S2M_ISB);
	if (e->dsb)
		s2m_barrier(m, 0, S2M_DSB_ISHST);
	if (e->slot < IPAS) {
		s2m_tlbi(m, 0, S2M_IPAS2E1IS, ipa(e->slot) >> 12);
		s2m_barrier(m, 0, S2M_DSB_ISH);
		s2m_tlbi(m, 0, S2M_VMALLE1IS, 0);
	} else {
		s2m_tlbi(m, 0, e->slot == ALL_VMIDS ? S2M_ALLE1IS : S2M_VMALLS12E1IS, 0);
	}
	s2m_barrier(m, 0, S2M_DSB_ISH);
	s2m_barrier(m, 0, S2M_ISB);
}

static void event(struct bed *b, struct event *e)
{
	struct machine *m = b->m;
	uint64_t pa = table_pa(e->page), data = PA + e->frame * PAGE + e->offset;

	switch (e->what) {
	case TAKE:
		pa = s2m_table_take(m, 0, 1, 1);
		e->page = (unsigned)((pa - BASE) / PAGE);
		s2m_fill(m, 0, pa, PAGE, 0);
		break;
	case GIVE:
		s2m_table_give(m, 0, pa, 1);
		break;
	case SET_ROOT:
		s2m_write(m, 0, pa + e->slot * 8, descriptor(b, e->value), S2M_RELEASE);
		break;
	case SET_PAGE:
		s2m_write(m, 0, pa + e->slot * 8, descriptor(b, e->value), S2M_PLAIN);
		break;
	case ENTER:
		s2m_guest_enter(m, e->pe, (uint64_t)e->value << 48 | pa);
		break;
	case LEAVE:
		s2m_guest_leave(m, e->pe);
		break;
	case DSB:
		s2m_barrier(m, 0, S2M_DSB_ISH);
		break;
	case INVALIDATE:
		invalidate(m, e);
		break;
	case CLEAN:
		s2m_cache(m, 0, e->value ? S2M_DC_CIVAC : S2M_DC_CVAC, data, e->size);
		if (e->dsb)
			s2m_barrier(m, 0, e->dsb == 2 ? S2M_DSB_SY : S2M_DSB_ISH);
		break;
	case HOST_WRITES:
		s2m_host_wrote(m, 0, data, e->size);
		break;
	case CLAIM_UNMAPPED:
		s2m_claim_unmapped(m, 0, pa, ipa(e->slot), PAGE, 0);
		break;
	case CLAIM_PROTECTED:
		s2m_claim_wrprotected(m, 0, pa, ipa(e->slot), PAGE);
		break;
	default:
		s2m_claim_frame_free(m, 0, PA + e->frame * PAGE, PAGE);
		break;
	}
}

/* ---- programs ---- */

static struct event any(struct bed *b)
{
	/* How often, of 64. */
	static const uint8_t often[WHATS] = {
		[TAKE] = 6,	   [GIVE] = 6,		 [SET_ROOT] = 8,
		[SET_PAGE] = 13,   [ENTER] = 4,		 [LEAVE] = 3,
		[DSB] = 2,	   [INVALIDATE] = 8,	 [CLEAN] = 7,
		[HOST_WRITES] = 1, [CLAIM_UNMAPPED] = 3, [CLAIM_PROTECTED] = 1,
		[CLAIM_FREE] = 2,
	};
	static const uint8_t sy_mostly[] = { 0, 1, 2, 2 };
	struct event e = { .what = TAKE };
	unsigned pick = below(64);

	for (; pick >= often[e.what]; e.what++)
		pick -= often[e.what];
	e.page = below(b->tables);
	e.slot = below(e.what == INVALIDATE	? IPAS + 2 :
		       e.what >= CLAIM_UNMAPPED ? IPAS :
						  SLOTS);
	e.frame = below(b->frames);
	e.value = e.what == SET_ROOT ?
			  (below(3) ? TO_TABLE(below(b->tables)) : EMPTY) :
		  e.what == SET_PAGE ?
			  (below(3) ? TO_FRAME(e.frame, below(KINDS), below(2)) : EMPTY) :
		  e.what == CLEAN ? below(4) :
				    below(VMIDS);
	e.pe = 1 + below(2);
	/* All of a frame, half of it, any piece of it. */
	e.size = (unsigned)PAGE;
	if (!below(3)) {
		e.size /= 2;
		e.offset = below(2) * e.size;
	} else if (!below(3)) {
		e.offset = below((unsigned)PAGE);
		e.size = 1 + below((unsigned)PAGE - e.offset);
	}
	/* A clean goes on where the last one ended; a detached table is linked. */
	if (e.what == CLEAN && !below(4) && b->past < b->frames * PAGE) {
		e.frame = b->past / (unsigned)PAGE;
		e.offset = b->past % (unsigned)PAGE;
		e.size = (unsigned)PAGE - e.offset;
	}
	for (unsigned t = 0; e.what == SET_ROOT && !below(3) && t < b->tables; t++)
		if (naive_in_limbo(&b->n, t))
			e.value = TO_TABLE(t);
	e.dsb = e.what == CLEAN ? sy_mostly[below(4)] : below(8) > 0;
	return e;
}

/* The next event; most that are wrong are passed over: all but one of so many. */
static struct event choose(struct bed *b)
{
	static const uint8_t passed_over[WHATS] = {
		[GIVE] = 96,	   [SET_ROOT] = 12,	 [SET_PAGE] = 12,
		[ENTER] = 32,	   [CLAIM_UNMAPPED] = 4, [CLAIM_PROTECTED] = 8,
		[CLAIM_FREE] = 12,
	};
	static struct naive copy;
	unsigned taken = 0;

	for (unsigned t = 0; t < TABLES; t++)
		taken += b->n.taken[t];
	for (;;) {
		struct event e = any(b);

		if (e.what == TAKE && taken < b->tables)
			return e;
		if (e.what == TAKE || !naive_can(&b->n, &e))
			continue;
		copy = b->n;
		if (!naive_event(&copy, &e) || !below(passed_over[e.what]))
			return e;
	}
}

static struct machine *machine(struct bed *b)
{
	struct machine_config cfg = { .pes = 3, .table_base = BASE };

	/* With few of them there are more meetings. */
	b->frames = 1 + below(FRAMES);
	b->past = 0;
	b->tables = 3 + below(TABLES - 2);
	cfg.table_pages = b->tables;
	b->fwb = below(2);
	cfg.features |= b->fwb ? S2M_FWB : 0;
	cfg.features |= below(4) ? 0 : S2M_COLD_TLBS;
	naive_init(&b->n, b->fwb, cfg.features & S2M_COLD_TLBS);
	b->m = machine_new(&cfg);
	if (!b->m)
		exit(2);
	s2m_shuffle(b->m, below(2) * 7919);
	s2m_sysreg(b->m, 0, S2M_VTCR_EL2, VTCR);
	return b->m;
}

/* True: the two agree. */
static bool program(uint64_t seed, FILE *log, const char **rule)
{
	static struct bed b;
	struct machine *m;
	bool wrong = false, agree = true;

	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	m = machine(&b);
	s2m_log(m, log);
	*rule = NULL;
	for (unsigned i = 0; i < EVENTS && !wrong && agree; i++) {
		struct event e = choose(&b);

		event(&b, &e);
		wrong = naive_event(&b.n, &e);
		if (e.what == CLEAN)
			b.past = (unsigned)(e.frame * PAGE) + e.offset + e.size;
		agree = wrong == (s2m_violations(m) > 0);
	}
	if (s2m_violations(m))
		*rule = s2m_violation(m, 0)->rule;
	if (!agree && log)
		fprintf(log, "seed %llu: the machine %s, the second judge %s\n",
			(unsigned long long)seed, *rule ? "convicts" : "does not convict",
			wrong ? "does" : "does not");
	machine_free(m);
	return agree;
}

int main(int argc, char **argv)
{
	/* All that a program can be convicted of here, and how many were. */
	static struct {
		const char *rule;
		unsigned long n;
	} said[64];
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t programs = argc > 2 ? strtoull(argv[2], NULL, 0) : 8000;
	unsigned long good = 0, rules = 0;
	const char *rule;

	for (uint64_t i = 0; i < programs; i++) {
		unsigned r = 0;

		if (!program(seed + i, NULL, &rule)) {
			program(seed + i, stdout, &rule);
			return 1;
		}
		good += !rule;
		for (; rule && r < rules && strcmp(said[r].rule, rule); r++)
			;
		if (rule && r == rules)
			said[rules++].rule = rule;
		said[r].n += rule != NULL;
	}
	printf("seeds from %llu, %llu programs, %lu right\n", (unsigned long long)seed,
	       (unsigned long long)programs, good);
	for (unsigned r = 0; r < rules; r++)
		printf("%6lu %s\n", said[r].n, said[r].rule);
	/* Both results must be frequent, or the programs test nothing. */
	return good < programs / 10 || good > programs - programs / 10;
}
