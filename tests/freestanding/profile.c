/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A small program for any build of the engine (profiles.py). Map, unmap, look up and
 * destroy work in each. What the build leaves out returns S2_E_UNSUPPORTED and changes
 * nothing; what it has does not.
 */
#include "internal.h"

#define PAGES 64u
#define ROOT_PAGES 16u
#define GIB (UINT64_C(1) << 30)
#define RW (S2_R | S2_W)

#ifdef S2_GRANULE_SHIFT
#define SHIFT S2_GRANULE_SHIFT
#else
#define SHIFT 12
#endif
#define PAGE (UINT64_C(1) << SHIFT)
#define BLOCK (PAGE << (SHIFT - 3))

static struct count_port port, port_before;
static struct s2 s2, s2_before;
static unsigned char *arena_before;
static uint64_t meta_before[2 * PAGES];
static unsigned checks, left_out;

static void fail(int line, const char *what, int got, int want)
{
	fprintf(stderr, "%d: %s: %s, expected %s\n", line, what, s2_strerror(got),
		s2_strerror(want));
	exit(1);
}

static void remember(void)
{
	memcpy(arena_before, port.arena, (size_t)PAGES << SHIFT);
	memcpy(meta_before, port.meta, sizeof(meta_before));
	s2_before = s2;
	port_before = port;
}

/* Tables, metadata, the instance, and what the port has done. */
static bool unchanged(void)
{
	return !memcmp(arena_before, port.arena, (size_t)PAGES << SHIFT) &&
	       !memcmp(meta_before, port.meta, sizeof(meta_before)) &&
	       !memcmp(&s2_before, &s2, sizeof(s2)) &&
	       !memcmp(&port_before, &port, sizeof(port));
}

static void check(int line, const char *what, int got, int want)
{
	checks++;
	if (got != want)
		fail(line, what, got, want);
}

#define IS(call, want) check(__LINE__, #call, call, want)

/* @used: the call returns what is said; else it is not supported. */
#define NEEDS(used, call, want)                                            \
	do {                                                               \
		remember();                                                \
		IS(call, (used) ? (want) : S2_E_UNSUPPORTED);              \
		if (!(used)) {                                             \
			left_out++;                                        \
			if (!unchanged())                                  \
				fail(__LINE__, "it has changed " #call, 0, \
				     S2_E_UNSUPPORTED);                    \
		}                                                          \
	} while (0)

static struct s2_config config(void)
{
	return (struct s2_config){
		.ipa_bits = 40, .pa_bits = 48, .granule_shift = SHIFT, .port = &port
	};
}

static void open_bed(void)
{
	struct s2_config cfg = config();

	port = (struct count_port){ .shift = SHIFT, .pages = PAGES, .fail_after = -1 };
	port.arena = aligned_alloc(ROOT_PAGES << SHIFT, (size_t)PAGES << SHIFT);
	port.meta = calloc(2 * PAGES, sizeof(*port.meta));
	port.free = calloc(PAGES, sizeof(*port.free));
	arena_before = malloc((size_t)PAGES << SHIFT);
	if (!port.arena || !port.meta || !port.free || !arena_before)
		exit(1);
	for (uint32_t i = ROOT_PAGES; i < PAGES; i++)
		port.free[port.nfree++] = i;
	IS(s2_init(&s2, &cfg), 0);
}

static void close_bed(void)
{
	IS(s2_destroy(&s2, 0, NULL), 0);
	if (port.nfree != PAGES - ROOT_PAGES || s2.root)
		fail(__LINE__, "tables are left", 0, 0);
	free(port.arena);
	free(port.meta);
	free(port.free);
	free(arena_before);
}

static enum s2_state state_at(uint64_t ipa)
{
	struct s2_mapping m;

	IS(s2_lookup(&s2, s2_ipa(ipa), &m), 0);
	return m.state;
}

static int map(uint64_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	return s2_map(&s2, s2_ipa(ipa), s2_pa(ipa + 64 * GIB), size, RW, flags, op);
}

static int unmap(uint64_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	return s2_unmap(&s2, s2_ipa(ipa), size, flags, op);
}

/* Pages over two tables, a block, holes; page by page and all at once. */
static void what_every_build_has(void)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	uint64_t at = 4 * GIB;
	struct s2_iter it;
	struct s2_mapping m;
	struct s2_leaf leaf;
	unsigned n = 0;

	open_bed();
	if (!s2_vtcr(&s2) || s2_vttbr(&s2) != COUNT_PORT_BASE)
		fail(__LINE__, "VTCR or VTTBR", 0, 0);
	IS(map(at - 3 * PAGE, 6 * PAGE, S2_MAP_PAGES, NULL), 0);
	IS(map(at + BLOCK, BLOCK, 0, NULL), 0);
	/* The same again, and with less permissions: in place, or something is there. */
	IS(map(at, PAGE, S2_MAP_PAGES, NULL), S2_USE_IN_PLACE ? 0 : S2_E_EXIST);
	IS(s2_map(&s2, s2_ipa(at), s2_pa(at + 64 * GIB), PAGE, S2_R, 0, NULL),
	   S2_USE_IN_PLACE ? 0 : S2_E_EXIST);
	IS(s2_map(&s2, s2_ipa(at), s2_pa(0), PAGE, RW, 0, NULL), S2_E_EXIST);
	IS(s2_translate(&s2, s2_ipa(at + BLOCK + 5), &leaf), 0);
	if (leaf.pa.pa != at + BLOCK + 5 + 64 * GIB || leaf.level != 2)
		fail(__LINE__, "translate", 0, 0);
	IS(s2_iter_start(&it, &s2, s2_ipa(0), UINT64_C(1) << 40), 0);
	while (s2_iter_next(&it, &m))
		n++;
	IS((int)n, 7);
	IS(unmap(at + BLOCK, PAGE, 0, NULL), S2_E_BLOCK);
	IS(unmap(at, PAGE, 0, NULL), 0);
	IS((int)state_at(at), S2_EMPTY);
	IS((int)state_at(at + PAGE), S2_LEAF);
	IS(unmap(at + BLOCK, PAGE, S2_DROP_EDGES, NULL), 0);
	IS((int)state_at(at + 2 * BLOCK - PAGE), S2_EMPTY);
	IS(unmap(0, UINT64_C(1) << 40, S2_NO_CLEAN, &op), 0);
	IS((int)state_at(at + PAGE), S2_EMPTY);
	IS(s2_release(&s2, &limbo, NULL), 0);
	IS((int)port.nfree, PAGES - ROOT_PAGES);
	IS(map(at, PAGE, 0, NULL), 0);
	close_bed();
}

static void configurations(void)
{
	struct s2_config cfg = config();
	struct s2 other;

	open_bed();
	for (uint8_t shift = 12; shift <= 16; shift += 2) {
		cfg = config();
		cfg.granule_shift = shift;
		if (shift == SHIFT)
			continue;
#ifdef S2_GRANULE_SHIFT
		NEEDS(false, s2_init(&other, &cfg), 0);
#endif
	}
	cfg = config();
	cfg.pa_bits = 52;
	if (SHIFT == 16) {
		cfg.ipa_bits = 52;
		NEEDS(S2_USE_52BIT, s2_init(&other, &cfg), 0);
	} else {
		NEEDS(S2_USE_52BIT, s2_init(&other, &cfg), S2_E_PA_BITS);
		cfg.features = S2_FEAT_LPA2;
		NEEDS(S2_USE_52BIT, s2_init(&other, &cfg), 0);
	}
	cfg = config();
	cfg.features = S2_FEAT_HAFDBS;
	NEEDS(S2_USE_HW, s2_init(&other, &cfg), 0);
	cfg.features |= S2_FEAT_DBM;
	NEEDS(S2_USE_HW, s2_init(&other, &cfg), 0);
	cfg = config();
	cfg.counted = 1;
	NEEDS(S2_USE_COUNTED, s2_init(&other, &cfg), 0);
	if (S2_USE_COUNTED) {
		IS(s2_map(&other, s2_ipa(0), s2_pa(PAGE), 4 * PAGE, RW, 0, NULL), 0);
		IS(s2_unmap(&other, s2_ipa(PAGE), PAGE, 0, NULL), 0);
		IS(s2_unmap(&other, s2_ipa(0), BLOCK, 0, NULL), 0);
		if (port.gone != 4)
			fail(__LINE__, "four leaves are reported", (int)port.gone, 0);
	}
	/* The counting port has one root, which the others have written to. */
	IS(s2_init(&s2, &(struct s2_config){ .ipa_bits = 40,
					     .pa_bits = 48,
					     .granule_shift = SHIFT,
					     .port = &port }),
	   0);
	close_bed();
}

static void shared_calls(void)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	struct s2_survey survey;
	uint64_t at = 4 * GIB;
	bool young = false, both = S2_USE_SHARED && S2_USE_CHANGES;

	open_bed();
	IS(map(at, 4 * PAGE, S2_MAP_PAGES, NULL), 0);
	NEEDS(S2_USE_SHARED, map(at + 4 * PAGE, PAGE, S2_SHARED, &op), 0);
	NEEDS(S2_USE_SHARED, map(at + 5 * PAGE, 2 * PAGE, S2_SHARED, &op), 0);
	NEEDS(S2_USE_SHARED, unmap(at, PAGE, S2_SHARED, &op), 0);
	NEEDS(S2_USE_SHARED, unmap(at + PAGE, 2 * PAGE, S2_SHARED, &op), 0);
	NEEDS(both, s2_wrprotect(&s2, s2_ipa(at), PAGE, S2_SHARED, NULL), 0);
	NEEDS(both, s2_age(&s2, s2_ipa(at), PAGE, S2_SHARED, &young, NULL), 0);
	NEEDS(both, s2_clean(&s2, s2_ipa(at), PAGE, S2_SHARED, NULL), 0);
	NEEDS(both, s2_survey(&s2, s2_ipa(at), PAGE, S2_SHARED, &survey, NULL), 0);
	NEEDS(both, s2_relax_perms(&s2, s2_ipa(at + 3 * PAGE), S2_R, S2_SHARED), 0);
	NEEDS(both, s2_mkyoung(&s2, s2_ipa(at + 3 * PAGE), S2_SHARED), 0);
	NEEDS(S2_USE_SHARED && S2_USE_RESHAPE,
	      s2_split(&s2, s2_ipa(at), PAGE, S2_SHARED, NULL), 0);
	NEEDS(S2_USE_SHARED && S2_USE_RESHAPE,
	      s2_collapse(&s2, s2_ipa(at), PAGE, S2_SHARED, &op), 0);
	IS(s2_release(&s2, &limbo, NULL), 0);
	close_bed();
}

static void budgets(void)
{
	const struct s2_op bounded[] = { { .max_entries = S2_BUDGET_ENTRIES_MIN },
					 { .max_bytes = S2_BUDGET_BYTES_MIN },
					 { .max_entries = 1 } };
	struct s2_limbo limbo = { 0 };
	struct s2_survey survey;
	uint64_t at = 4 * GIB;
	bool young = false;

	open_bed();
	IS(map(at, 4 * PAGE, S2_MAP_PAGES, NULL), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op op = bounded[i];
		bool both = S2_USE_STEPS && S2_USE_CHANGES;
		int want = i == 2 ? S2_E_BUDGET : 0;

		NEEDS(S2_USE_STEPS, map(at + (8 + i) * PAGE, PAGE, 0, &op), want);
		op = bounded[i];
		NEEDS(S2_USE_STEPS, unmap(at, PAGE, 0, &op), want);
		op = bounded[i];
		NEEDS(both, s2_wrprotect(&s2, s2_ipa(at), PAGE, 0, &op), want);
		NEEDS(both, s2_age(&s2, s2_ipa(at), PAGE, 0, &young, &op), want);
		NEEDS(both, s2_clean(&s2, s2_ipa(at), PAGE, 0, &op), want);
		NEEDS(both, s2_survey(&s2, s2_ipa(at), PAGE, 0, &survey, &op), want);
		NEEDS(S2_USE_STEPS && S2_USE_RESHAPE,
		      s2_split(&s2, s2_ipa(at), PAGE, 0, &op), want);
		NEEDS(S2_USE_STEPS && S2_USE_NOTES,
		      s2_annotate(&s2, s2_ipa(GIB), PAGE, 0, 0, &op), want);
		if (i != 1)
			NEEDS(S2_USE_STEPS, s2_release(&s2, &limbo, &op), want);
		if (!S2_USE_STEPS || want)
			NEEDS(S2_USE_STEPS, s2_destroy(&s2, 0, &op), want);
	}
	close_bed();
}

static void reshaping(void)
{
	uint64_t at = 4 * GIB;

	open_bed();
	IS(map(at, 2 * BLOCK, 0, NULL), 0);
	NEEDS(S2_USE_RESHAPE, s2_split(&s2, s2_ipa(at), PAGE, 0, NULL), 0);
	NEEDS(S2_USE_RESHAPE, s2_collapse(&s2, s2_ipa(at), BLOCK, 0, NULL), 0);
	NEEDS(S2_USE_RESHAPE, unmap(at + PAGE, PAGE, S2_SPLIT_EDGES, NULL), 0);
	NEEDS(S2_USE_RESHAPE && S2_USE_REPLACE,
	      map(at + BLOCK + PAGE, PAGE, S2_MAP_REPLACE | S2_SPLIT_EDGES, NULL), 0);
	NEEDS(S2_USE_REPLACE, map(at + 4 * BLOCK, PAGE, S2_MAP_REPLACE, NULL), 0);
	NEEDS(S2_USE_REPLACE, map(at + 4 * BLOCK, BLOCK, S2_MAP_REPLACE, NULL), 0);
	close_bed();
}

static void changes(void)
{
	struct s2_survey survey;
	uint64_t at = 4 * GIB;
	struct s2_dirty_log log = { s2_ipa(at), PAGE, &(uint64_t){ 0 }, false };
	struct s2_op op = { .dirty = &log };
	bool young = false;

	open_bed();
	IS(map(at, 2 * PAGE, S2_MAP_PAGES, NULL), 0);
	NEEDS(S2_USE_CHANGES, s2_wrprotect(&s2, s2_ipa(at), PAGE, 0, NULL), 0);
	NEEDS(S2_USE_CHANGES, s2_age(&s2, s2_ipa(at), PAGE, S2_CLEAR, &young, NULL), 0);
	NEEDS(S2_USE_CHANGES, s2_relax_perms(&s2, s2_ipa(at), S2_W, 0), 0);
	NEEDS(S2_USE_CHANGES, s2_mkyoung(&s2, s2_ipa(at), 0), 0);
	NEEDS(S2_USE_CHANGES, s2_survey(&s2, s2_ipa(at), PAGE, 0, &survey, NULL), 0);
	NEEDS(S2_USE_CHANGES, s2_clean(&s2, s2_ipa(at), PAGE, 0, NULL), 0);
	/* This instance has no dirty state in any build. */
	NEEDS(false, s2_dirty(&s2, s2_ipa(at), PAGE, 0, &log, NULL), 0);
	NEEDS(S2_USE_HW, unmap(at, PAGE, 0, &op), 0);
	NEEDS(S2_USE_HW && S2_USE_CHANGES,
	      s2_wrprotect(&s2, s2_ipa(at + PAGE), PAGE, 0, &op), 0);
	close_bed();
}

static void batches(void)
{
	struct s2_batch batch;
	struct s2_op op = { .batch = &batch };
	uint64_t at = 4 * GIB;

	open_bed();
	IS(map(at, 4 * PAGE, S2_MAP_PAGES, NULL), 0);
	NEEDS(S2_USE_BATCH, s2_batch_begin(&s2, &batch), 0);
	NEEDS(S2_USE_BATCH, unmap(at, PAGE, 0, &op), 0);
	NEEDS(S2_USE_BATCH, unmap(at + PAGE, 2 * PAGE, 0, &op), 0);
	NEEDS(S2_USE_BATCH, map(at + 8 * PAGE, PAGE, 0, &op), S2_E_BATCH);
	NEEDS(S2_USE_BATCH, s2_batch_flush(&s2, &batch, NULL), 0);
	NEEDS(S2_USE_BATCH, s2_batch_end(&s2, &batch, NULL), 0);
	close_bed();
}

static void runs_and_notes(void)
{
	uint64_t at = 4 * GIB;

	open_bed();
	NEEDS(S2_USE_RUNS, map(at, PAGE, S2_MAP_CONT, NULL), 0);
	NEEDS(S2_USE_RUNS, map(at + BLOCK, BLOCK, S2_MAP_CONT | S2_MAP_PAGES, NULL), 0);
	NEEDS(S2_USE_NOTES, s2_annotate(&s2, s2_ipa(GIB), PAGE, 5, 0, NULL), 0);
	NEEDS(S2_USE_NOTES, s2_annotate(&s2, s2_ipa(GIB), PAGE, 0, 0, NULL), 0);
	NEEDS(S2_USE_NOTES, unmap(at, 2 * PAGE, S2_KEEP_NOTES, NULL), 0);
	NEEDS(S2_USE_NOTES, unmap(at, PAGE, S2_KEEP_NOTES, NULL), 0);
	close_bed();
}

/* A table of which the engine remembers that a page was in it, if the build does that. */
static void hints(void)
{
	uint64_t at = 4 * GIB;
	struct s2_mapping m;
	struct s2_iter it;
	unsigned n = 0;

	open_bed();
	IS(map(at, PAGE, 0, NULL), 0);
	IS(map(at + PAGE, PAGE, S2_NO_CLEAN, NULL), 0);
	IS(s2.hint != NULL, S2_USE_HINT && S2_USE_FAST);
	IS((int)state_at(at + PAGE), S2_LEAF);
	IS((int)state_at(at + 2 * PAGE), S2_EMPTY);
	IS((int)state_at(at + BLOCK), S2_EMPTY);
	/* The table goes, and the next one is the same memory. */
	IS(unmap(at, BLOCK, S2_NO_CLEAN, NULL), 0);
	IS(map(at + BLOCK, PAGE, S2_NO_CLEAN, NULL), 0);
	IS((int)state_at(at), S2_EMPTY);
	IS(map(at + PAGE, PAGE, S2_NO_CLEAN, NULL), 0);
	/* Looked for from the root. */
	IS(s2_iter_start(&it, &s2, s2_ipa(0), UINT64_C(1) << 40), 0);
	while (s2_iter_next(&it, &m))
		n++;
	IS((int)n, 2);
	close_bed();
}

int main(void)
{
	what_every_build_has();
	configurations();
	shared_calls();
	budgets();
	reshaping();
	changes();
	batches();
	runs_and_notes();
	hints();
	printf("%u calls, %u of them of what the build leaves out\n", checks, left_out);
	return 0;
}
