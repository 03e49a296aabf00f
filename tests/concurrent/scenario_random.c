/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scenarios by chance: something is mapped, two or three threads make a call or two, on
 * ranges that meet. Nobody has thought of what may come out of them, so only the judges
 * have a say.
 */
#include <stdio.h>

#include "calls.h"
#include "scenarios.h"

#define E (D + BLOCK)

static uint64_t state;

static unsigned pick(unsigned n)
{
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((x ^ x >> 31) >> 8) % n;
}

static struct call *add(struct scenario *s, enum call_kind kind, enum who who,
			uint64_t ipa, uint64_t size)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (!s->call[i].kind) {
			s->call[i] = (struct call){
				.kind = kind, .who = who, .ipa = ipa, .size = size
			};
			return &s->call[i];
		}
	return NULL;
}

static uint32_t random_attr(const struct scenario *s)
{
	static const uint32_t attrs[] = { RW, S2_R, S2_R | S2_DBM, RW | S2_DBM };

	return attrs[pick(s->features & S2_FEAT_DBM ? 4 : 2)];
}

/* A frame of its own, or one that is mapped there already. */
static void map(struct scenario *s, enum who who, uint64_t ipa, uint64_t size,
		uint32_t flags)
{
	struct call *c = add(s, CALL_MAP, who, ipa, size);
	unsigned frame;

	if (!c)
		return;
	frame = pick(3) ? (unsigned)(c - s->call) : 0;
	c->pa = F0 + frame * UINT64_C(0x4000000) + (ipa - A);
	c->attr = random_attr(s);
	c->flags = flags;
}

static void first(struct scenario *s)
{
	switch (pick(5)) {
	case 0:
		map(s, AT_FIRST, D, BLOCK, 0);
		break;
	case 1:
		map(s, AT_FIRST, D, BLOCK, S2_MAP_PAGES);
		break;
	case 2:
		map(s, AT_FIRST, D, PAGE, S2_MAP_PAGES);
		break;
	default:
		break;
	}
	if (!pick(2))
		map(s, AT_FIRST, A, PAGE, S2_MAP_PAGES);
	if (!pick(3))
		map(s, AT_FIRST, B, PAGE, S2_MAP_PAGES);
	if (!pick(4))
		map(s, AT_FIRST, E, pick(2) ? BLOCK : PAGE, 0);
}

static uint32_t edge_flags(void)
{
	static const uint32_t flags[] = { 0, S2_DROP_EDGES, S2_SPLIT_EDGES };

	return flags[pick(3)];
}

static void budget(const struct scenario *s, struct call *c)
{
	if (!s->locked || c->shared)
		return;
	c->entries = pick(2) ? 2 * S2_BUDGET_ENTRIES_MIN : 0;
	c->bytes = pick(2) ? BLOCK : 0;
	c->no_limbo = !pick(3);
}

static void random_map(struct scenario *s, enum who who)
{
	static const uint64_t at[] = { A, B, C, D, D + PAGE, E, E - PAGE };
	uint64_t ipa = at[pick(sizeof(at) / sizeof(at[0]))], size = PAGE;
	uint32_t flags = S2_MAP_PAGES;
	struct call *c;

	if (!pick(3)) {
		ipa = pick(3) ? D : E;
		size = BLOCK;
		flags = pick(3) ? 0 : S2_MAP_PAGES;
	}
	if (!pick(3))
		flags |= S2_MAP_REPLACE | edge_flags();
	else if (!pick(4))
		flags |= S2_SPLIT_EDGES;
	if (!pick(4))
		flags |= S2_MAP_NEW;
	if (!pick(4))
		flags |= S2_NO_CLEAN;
	map(s, who, ipa, size, flags);
	for (c = s->call; c < s->call + CALLS && c->kind; c++)
		;
	c--;
	c->once = !pick(3);
	c->shared = s->locked && !pick(3);
	budget(s, c);
}

static void random_call(struct scenario *s, enum who who)
{
	static const struct {
		uint64_t ipa, size;
	} ranges[] = { { A, PAGE },	   { A, PAGE },	    { B, PAGE },
		       { A, 2 * PAGE },	   { A, BLOCK },    { C, PAGE },
		       { D, PAGE },	   { D, PAGE },	    { D + PAGE, PAGE },
		       { D, BLOCK },	   { D, BLOCK },    { D, 2 * BLOCK },
		       { E - PAGE, PAGE }, { A, GIB },	    { E - PAGE, 2 * PAGE },
		       { E, BLOCK },	   { A, 2 * BLOCK } };
	static const enum call_kind kinds[] = {
		CALL_UNMAP,    CALL_UNMAP,     CALL_UNMAP, CALL_UNMAP,	 CALL_WRPROTECT,
		CALL_RELAX,    CALL_AGE,       CALL_SPLIT, CALL_SPLIT,	 CALL_COLLAPSE,
		CALL_COLLAPSE, CALL_TRANSLATE, CALL_CLEAN, CALL_MKYOUNG,
	};
	unsigned r = pick(sizeof(ranges) / sizeof(ranges[0]));
	struct call *c;

	if (!pick(3)) {
		random_map(s, who);
		return;
	}
	if (s->features & S2_FEAT_HAFDBS && !pick(4)) {
		add(s, s->features & S2_FEAT_DBM && pick(2) ? CALL_WRITE : CALL_TOUCH,
		    who, ranges[r].ipa, PAGE);
		return;
	}
	c = add(s, kinds[pick(sizeof(kinds) / sizeof(kinds[0]))], who, ranges[r].ipa,
		ranges[r].size);
	if (!c)
		return;
	if (s->features & S2_FEAT_DBM && !pick(6) && ranges[r].size < GIB)
		c->kind = CALL_DIRTY;
	c->shared = s->locked && !pick(3);
	switch (c->kind) {
	case CALL_UNMAP:
		c->flags = edge_flags() | (pick(3) ? 0 : S2_NO_CLEAN);
		break;
	case CALL_AGE:
	case CALL_DIRTY:
		c->flags = S2_CLEAR;
		break;
	case CALL_RELAX:
		c->attr = RW;
		c->size = PAGE;
		return;
	case CALL_TRANSLATE:
		c->shared = s->locked;
		c->size = PAGE;
		return;
	case CALL_MKYOUNG:
		c->size = PAGE;
		return;
	case CALL_COLLAPSE:
	case CALL_SPLIT:
		/* Most of these would find nothing. */
		c->ipa = D;
		c->size = pick(3) ? BLOCK : 2 * BLOCK;
		break;
	default:
		break;
	}
	budget(s, c);
}

void scenario_random(struct scenario *s, uint64_t seed)
{
	static char name[64];
	unsigned threads;

	state = seed;
	snprintf(name, sizeof(name), "random %llu", (unsigned long long)seed);
	*s = (struct scenario){ .name = name, .preemptions = 2 };
	s->locked = !pick(4);
	s->features = !pick(4) ? S2_FEAT_HAFDBS | (pick(2) ? S2_FEAT_DBM : 0) : 0;
	if (pick(2))
		s->features |= S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL;
	s->one_tag = !s->locked && !pick(8);
	s->counted = pick(2);
	threads = 2 + !pick(3);
	first(s);
	for (unsigned t = 0; t < threads; t++) {
		random_call(s, (enum who)(T1 + t));
		if (threads == 2 && !pick(3))
			random_call(s, (enum who)(T1 + t));
	}
}

void scenario_print(const struct scenario *s)
{
	static const char *const thread[] = { "first", "T1", "T2", "T3" };

	printf("#   %s%s, features 0x%x%s%s\n", s->name, s->locked ? ", locked" : "",
	       s->features, s->one_tag ? ", one tag" : "", s->counted ? ", counted" : "");
	for (unsigned i = 0; i < CALLS && s->call[i].kind; i++) {
		const struct call *c = &s->call[i];
		char what[64];

		call_describe(i, what, sizeof(what));
		printf("#   %s: %s pa 0x%llx attr 0x%x flags 0x%x entries %u bytes "
		       "0x%x%s%s%s\n",
		       thread[c->who], what, (unsigned long long)c->pa, c->attr, c->flags,
		       c->entries, c->bytes, c->once ? " once" : "",
		       c->shared ? " shared" : "", c->no_limbo ? " no limbo" : "");
	}
}
