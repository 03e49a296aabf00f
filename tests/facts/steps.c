/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one step of an operation costs at most: steps SEED OPERATIONS. Random exclusive
 * operations with budgets run on the counting port. For each call and each budget of
 * entries the largest costs of a step are printed; facts.py compares them with the bounds
 * that docs/facts.md states.
 */
#include <inttypes.h>
#include <stage2/stage2.h>
#include "../engine/rnd.h"
#include "port.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PAGE UINT64_C(4096)
#define PAGES 60000u
#define ROOT_PAGES 16u
/* Where the operations are, and what they map; the ends of two GiB meet in it. */
#define START (GIB - 128 * MIB)
#define SPAN (256 * MIB)

enum call {
	MAP,
	REPLACE,
	UNMAP,
	WRPROTECT,
	AGE,
	DIRTY,
	CLEAN,
	SURVEY,
	SPLIT,
	COLLAPSE,
	ANNOTATE,
	RELEASE,
	DESTROY,
	CALLS
};

static const char *const names[CALLS] = {
	"s2_map",      "map-replace", "s2_unmap",   "s2_wrprotect", "s2_age",
	"s2_dirty",    "s2_clean",    "s2_survey",  "s2_split",	    "s2_collapse",
	"s2_annotate", "s2_release",  "s2_destroy",
};
static const uint32_t budgets[] = { 512, 1024, 4096 };
#define BUDGETS (sizeof(budgets) / sizeof(*budgets))

struct cost {
	uint64_t visits, writes, tlbis, dsbs, cleaned, steps;
};

static struct cost most[CALLS][BUDGETS];
static struct count_port port;
static struct s2 s2;
static uint64_t writes;
static uint64_t log_bits[SPAN / PAGE / 64];

static void record(struct count_port *p, enum count_event what, uint64_t at,
		   uint64_t value)
{
	(void)p, (void)at, (void)value;
	writes += what == COUNT_STORE || what == COUNT_STORE_RELEASE || what == COUNT_CAS;
}

static void largest(uint64_t *most_so_far, uint64_t now)
{
	if (now > *most_so_far)
		*most_so_far = now;
}

static void open_bed(void)
{
	struct s2_config cfg = {
		.ipa_bits = 40,
		.pa_bits = 48,
		.port = &port,
		.features = (uint32_t)rnd() &
			    (S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL |
			     S2_FEAT_HAFDBS | S2_FEAT_DBM),
		.errata = (uint32_t)rnd() & S2_ERRATUM_REPEAT_TLBI,
	};

	if (!(cfg.features & S2_FEAT_HAFDBS))
		cfg.features &= ~S2_FEAT_DBM;
	port.shift = 12;
	port.pages = PAGES;
	port.fail_after = -1;
	port.record = record;
	port.nfree = 0;
	for (uint32_t i = ROOT_PAGES; i < PAGES; i++)
		port.free[port.nfree++] = i;
	if (s2_init(&s2, &cfg))
		abort();
}

struct arguments {
	uint64_t ipa, pa, size, note;
	s2_attr_t attr;
	uint32_t flags;
	struct s2_dirty_log log;
	struct s2_limbo *limbo;
};

static struct arguments arguments(struct s2_limbo *limbo)
{
	static const uint64_t units[] = { PAGE, 64 * PAGE, 2 * MIB, 16 * MIB };
	static const s2_attr_t types[] = { S2_MEM_WB, S2_MEM_WB, S2_MEM_NC,
					   S2_MEM_DEV_GRE };
	const uint64_t unit = units[below(4)];
	const uint64_t at = below(SPAN / unit) * unit;
	struct arguments a = {
		.ipa = START + at,
		.size = (1 + below((SPAN - at) / unit)) * unit,
		.flags = (uint32_t[]){ 0, S2_DROP_EDGES, S2_SPLIT_EDGES }[below(3)],
		.attr = S2_R | (s2_attr_t)below(2) * S2_W | types[below(4)],
		.note = 1 + below(3),
		.log = { s2_ipa(START), SPAN, log_bits, false },
		.limbo = below(2) ? limbo : NULL,
	};

	/* The same memory each time, or some other. */
	a.pa = 4 * GIB + a.ipa + (below(4) ? 0 : GIB);
	if ((a.attr & S2_MEM_MASK) == S2_MEM_WB) {
		if (below(2))
			a.attr |= S2_X;
		if (s2.features & S2_FEAT_DBM && below(2))
			a.attr |= S2_DBM;
	}
	return a;
}

static int step(enum call call, const struct arguments *a, struct s2_op *op)
{
	static struct s2_survey survey;
	static bool young;
	const s2_ipa_t ipa = s2_ipa(a->ipa);
	const uint32_t pages = a->note == 1 ? S2_MAP_PAGES : 0;

	switch (call) {
	case MAP:
		return s2_map(&s2, ipa, s2_pa(a->pa), a->size, a->attr,
			      pages | (a->flags & S2_SPLIT_EDGES), op);
	case REPLACE:
		return s2_map(&s2, ipa, s2_pa(a->pa), a->size, a->attr,
			      S2_MAP_REPLACE | pages | a->flags, op);
	case UNMAP:
		return s2_unmap(&s2, ipa, a->size,
				a->flags | (a->note == 1 ? S2_KEEP_NOTES : 0), op);
	case WRPROTECT:
		return s2_wrprotect(&s2, ipa, a->size, 0, op);
	case AGE:
		return s2_age(&s2, ipa, a->size, S2_CLEAR, &young, op);
	case DIRTY:
		return s2_dirty(&s2, ipa, a->size, S2_CLEAR,
				(struct s2_dirty_log *)(uintptr_t)&a->log, op);
	case CLEAN:
		return s2_clean(&s2, ipa, a->size, 0, op);
	case SURVEY:
		return s2_survey(&s2, ipa, a->size, 0, &survey, op);
	case SPLIT:
		return s2_split(&s2, ipa, a->size, 0, op);
	case COLLAPSE:
		return s2_collapse(&s2, ipa, a->size, 0, op);
	case ANNOTATE:
		return s2_annotate(&s2, ipa, a->size, a->note, S2_MAP_REPLACE | a->flags,
				   op);
	case RELEASE:
		return s2_release(&s2, a->limbo, op);
	default:
		return s2_destroy(&s2, 0, op);
	}
}

static void operation(enum call call, const struct arguments *a)
{
	const unsigned budget = (unsigned)below(BUDGETS);
	struct cost *m = &most[call][budget];
	struct s2_op op = { .max_entries = budgets[budget], .max_bytes = 2 * MIB };
	int ret;

	if (call != RELEASE)
		op.limbo = a->limbo;
	do {
		port.tlbi = port.dsb = port.clean_bytes = writes = 0;
		ret = step(call, a, &op);
		if (ret < 0 && call == DESTROY)
			abort();
		if (ret < 0)
			return;
		m->steps++;
		largest(&m->visits, op.visited);
		largest(&m->writes, writes);
		largest(&m->tlbis, port.tlbi);
		largest(&m->dsbs, port.dsb);
		largest(&m->cleaned, port.clean_bytes);
	} while (ret == S2_MORE);
}

int main(int argc, char **argv)
{
	uint64_t todo;

	if (argc != 3)
		return 2;
	rnd_state = strtoull(argv[1], NULL, 0);
	todo = strtoull(argv[2], NULL, 0);
	port.arena = aligned_alloc(ROOT_PAGES * PAGE, PAGES * PAGE);
	port.meta = calloc(2 * PAGES, sizeof(*port.meta));
	port.free = calloc(PAGES, sizeof(*port.free));
	if (!port.arena || !port.meta || !port.free)
		return 2;
	while (todo) {
		struct s2_limbo limbo = { 0 };
		struct arguments a = { .limbo = &limbo };

		open_bed();
		for (unsigned i = 0; i < 100 && todo; i++, todo--) {
			/* Most calls find something if half of them map. */
			enum call call = below(2) ? (enum call)below(2) :
						    (enum call)below(RELEASE);

			a = arguments(&limbo);
			operation(call, &a);
		}
		a.limbo = &limbo;
		operation(RELEASE, &a);
		a.limbo = NULL;
		operation(DESTROY, &a);
	}
	for (unsigned c = 0; c < CALLS; c++)
		for (unsigned b = 0; b < BUDGETS; b++) {
			const struct cost *m = &most[c][b];

			printf("%s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64
			       " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			       names[c], budgets[b], m->visits, m->writes, m->tlbis,
			       m->dsbs, m->cleaned, m->steps);
		}
	free(port.arena);
	free(port.meta);
	free(port.free);
	return 0;
}
