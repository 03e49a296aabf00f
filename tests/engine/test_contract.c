/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What unmap and destroy promise (docs/design.md: P4 to P8, P11, P12), as far as one
 * port's events show it; and what is no promise, so that nobody takes it for one. A
 * referee (watch.h) looks at every event of every test.
 *
 *   test_contract [SEED]
 */
#include "watched.h"
#include "desc.h"
#include "rnd.h"

#define SMALLEST                                                                       \
	{                                                                              \
		.max_entries = S2_BUDGET_ENTRIES_MIN, .max_bytes = S2_BUDGET_BYTES_MIN \
	}

/* Of the last STEPS(). */
static unsigned steps;

static void within_budget(const struct s2_op *op)
{
	assert_true(!op->max_entries || op->visited <= op->max_entries);
	assert_true(!op->max_bytes || op->cleaned <= op->max_bytes);
	assert_true(++steps < 100000);
}

/* Until done, each step on its own: within its budget, complete when it returns. */
#define STEPS(op, call)                         \
	do {                                    \
		int ret_;                       \
		steps = 0;                      \
		do {                            \
			watch_call(&watcher);   \
			ret_ = (call);          \
			watch_return(&watcher); \
			within_budget(&(op));   \
		} while (ret_ == S2_MORE);      \
		assert_int_equal(ret_, 0);      \
	} while (0)

/* ---- P4: never allocates, never fails half way ---------------- */

static void unmap_never_allocates(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, 0, GIB, 64 * MIB, RW, S2_MAP_PAGES);
		bed_map(&bed, GIB, 2 * GIB, GIB, RW, 0);
		bed.port.fail_after = 0;
		bed_unmap(&bed, PAGE, MIB, 0);
		bed_unmap(&bed, 3 * PAGE, 60 * MIB, S2_SPLIT_EDGES);
		bed_unmap(&bed, GIB + MIB, PAGE, S2_DROP_EDGES);
		bed_unmap(&bed, 0, 4 * GIB, 0);
		assert_int_equal(bed.port.fail_after, 0);
		bed.port.fail_after = -1;
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

static void dropped_edges_are_reported(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(0);
	bed_map(&bed, 2 * MIB, 2 * MIB, 8 * MIB, RW, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(3 * MIB), 4 * MIB, S2_DROP_EDGES, &op),
			 0);
	assert_true(op.start.ipa == 2 * MIB && op.end.ipa == 8 * MIB);
	assert_int_equal(bed_lookup(&bed, 2 * MIB).state, S2_EMPTY);
	assert_int_equal(bed_lookup(&bed, 8 * MIB - PAGE).state, S2_EMPTY);
	assert_int_equal(bed_lookup(&bed, 8 * MIB).state, S2_LEAF);
	/* The whole dropped memory is clean. */
	assert_int_equal(bed_cost(&bed).clean_bytes, 8 * MIB + 6 * MIB);
	close_bed();
}

static void split_edges_keep_the_rest(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, GIB, 3 * GIB, GIB, RW, 0);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + 5 * PAGE), 513 * PAGE,
					  S2_SPLIT_EDGES, &op),
				 0);
		assert_true(op.start.ipa == GIB + 5 * PAGE &&
			    op.end.ipa == GIB + 518 * PAGE);
		for (uint64_t i = 0; i < 1024; i++) {
			struct s2_mapping m = bed_lookup(&bed, GIB + i * PAGE);
			bool in = i >= 5 && i < 518;

			assert_int_equal(m.state, in ? S2_EMPTY : S2_LEAF);
			assert_true(in || m.pa.pa - m.ipa.ipa == 2 * GIB);
		}
		assert_int_equal(bed_lookup(&bed, GIB + 4 * MIB).level, 2);
		close_bed();
	}
}

/* ---- P5: a constant for a range ---------------- */

static void cost_is_bounded(uint32_t features, bool clean)
{
	struct cost c = bed_cost(&bed);

	assert_true(c.dsb <= (clean ? 4u : 3u));
	assert_true(c.tlbi <= (features & S2_FEAT_TLBIRANGE ? S2_PLAN_OPS + 1 : 9));
	assert_int_equal(c.agents, 1);
	assert_int_equal(c.isb, 1);
}

/* The table goes with its last block, by the block's own address. */
static void the_last_block_of_a_table_goes_by_one_address(void **state)
{
	struct cost c;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, 4 * GIB, 16 * GIB, 2 * MIB, RW, 0);
	bed_cost(&bed);
	bed_unmap(&bed, 4 * GIB, 2 * MIB, 0);
	c = bed_cost(&bed);
	/* IPAS2E1IS and VMALLE1IS; the whole VMID would be one. */
	assert_int_equal(c.tlbi, 2);
	assert_int_equal(c.dsb, 3);
	assert_int_equal(bed_tables(&bed), 0);
	close_bed();
}

static void unmap_costs_a_constant(void **state)
{
	static const uint64_t sizes[] = {
		PAGE,	    2 * PAGE,	7 * PAGE,	512 * PAGE,
		513 * PAGE, 4 * MIB,	5 * MIB + PAGE, 100 * MIB + 13 * PAGE,
		GIB,	    GIB + PAGE,
	};

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			for (unsigned odd = 0; odd < 2; odd++) {
				uint64_t ipa = 4 * GIB + odd * PAGE;

				open_bed(feature_set(f));
				bed_map(&bed, ipa, 16 * GIB + odd * PAGE, sizes[i], RW,
					S2_MAP_PAGES);
				bed_cost(&bed);
				bed_unmap(&bed, ipa, sizes[i], 0);
				cost_is_bounded(feature_set(f),
						!(feature_set(f) & S2_FEAT_FWB));
				assert_int_equal(bed_tables(&bed), 0);
				close_bed();
			}
}

static void unmap_of_a_full_gib_is_two_tlbis_and_three_dsbs(void **state)
{
	struct s2_op op = { 0 };
	struct cost c;

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		bool fwb = feature_set(f) & S2_FEAT_FWB;

		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
		assert_int_equal(bed_tables(&bed), 513);
		bed_cost(&bed);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op), 0);
		c = bed_cost(&bed);
		assert_true(c.tlbi <= 2);
		assert_true(c.dsb <= (fwb ? 3 : 4));
		assert_true(op.visited <= (fwb ? 1100 : 263700));
		assert_int_equal(c.clean_bytes, fwb ? 0 : GIB);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

static struct {
	unsigned plans, level;
} hint;

/* IPAS2E1IS has its TTL in [47:44], RIPAS2E1IS in [38:37]. */
static void level_of_hint(enum count_event what, uint64_t at, uint64_t value)
{
	(void)at;
	if (what != COUNT_IPAS2E1IS && what != COUNT_RIPAS2E1IS)
		return;
	hint.level = (unsigned)(what == COUNT_IPAS2E1IS ? value >> 44 : value >> 37) & 3;
	hint.plans++;
}

#define UNMAP_WITH_HINT(ipa, size, lvl)            \
	do {                                       \
		hint.plans = 0;                    \
		bed_unmap(&bed, ipa, size, 0);     \
		assert_int_equal(hint.plans, 1);   \
		assert_int_equal(hint.level, lvl); \
	} while (0)

/* A leaf stays in each table, so that no table goes. */
static void the_level_of_the_leaves_is_told(void **state)
{
	(void)state;
	open_bed(S2_FEAT_TTL | S2_FEAT_TLBIRANGE);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
	bed_map(&bed, GIB + 2 * MIB, 8 * GIB, 32 * MIB, RW, 0);
	bed_map(&bed, 2 * GIB, 16 * GIB, 4 * GIB, RW, 0);
	watcher.also = level_of_hint;
	UNMAP_WITH_HINT(GIB, PAGE, 3);
	UNMAP_WITH_HINT(GIB + 2 * PAGE, 64 * PAGE, 3);
	UNMAP_WITH_HINT(GIB + 4 * MIB, 2 * MIB, 2);
	UNMAP_WITH_HINT(GIB + 8 * MIB, 8 * MIB, 2);
	UNMAP_WITH_HINT(2 * GIB, GIB, 1);
	/* Mixed: none. */
	UNMAP_WITH_HINT(GIB + MIB + 512 * KIB, MIB + 512 * KIB + 2 * MIB, 0);
	/* A table goes with its last page: none. */
	bed_map(&bed, 8 * GIB, 4 * GIB, PAGE, RW, 0);
	UNMAP_WITH_HINT(8 * GIB, PAGE, 0);
	watcher.also = NULL;
	close_bed();
}

/* Also behind a block, and in places that an earlier flush has used. */
static void a_batch_tells_the_level_of_each_place(void **state)
{
	struct s2_batch batch;
	struct s2_op in = { .batch = &batch };

	(void)state;
	open_bed(S2_FEAT_TTL);
	bed_map(&bed, GIB, 4 * GIB, 4 * PAGE, RW, S2_MAP_PAGES);
	bed_map(&bed, GIB + 2 * MIB, 8 * GIB, 2 * MIB, RW, 0);
	bed_map(&bed, GIB + 4 * MIB, 12 * GIB, 4 * PAGE, RW, S2_MAP_PAGES);
	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	for (unsigned i = 0; i < 4; i += 2)
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + i * PAGE), PAGE, 0, &in),
				 0);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	watcher.also = level_of_hint;
	hint.plans = 0;
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + 2 * MIB), 2 * MIB, 0, &in), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + 4 * MIB), PAGE, 0, &in), 0);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	assert_int_equal(hint.plans, 2);
	assert_int_equal(hint.level, 3);
	watcher.also = NULL;
	close_bed();
}

static void the_erratum_repeats_once(void **state)
{
	struct cost plain, repeated;

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB, 2 * GIB, RW, 0);
		bed_cost(&bed);
		bed_unmap(&bed, GIB, GIB, 0);
		plain = bed_cost(&bed);
		bed.s2.errata = S2_ERRATUM_REPEAT_TLBI;
		bed_unmap(&bed, 2 * GIB, GIB, 0);
		repeated = bed_cost(&bed);
		assert_int_equal(repeated.tlbi, plain.tlbi + 1);
		assert_int_equal(repeated.dsb, plain.dsb + 1);
		close_bed();
	}
}

/* ---- P6: what need not be read is not ---------------- */

static void whole_tables_are_not_read(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	(void)state;
	/* With FWB, and where the caller waives the clean. */
	for (unsigned f = 0; f < 2 * FEATURE_SETS; f++) {
		uint32_t features = feature_set(f / 2);
		uint32_t flags = (features & S2_FEAT_FWB ? 0 : S2_NO_CLEAN) |
				 (f % 2 ? S2_SHARED : 0);

		open_bed(features);
		bed_map(&bed, GIB - 8 * MIB, 4 * GIB - 8 * MIB, GIB + 16 * MIB, RW,
			S2_MAP_PAGES);
		bed_map(&bed, 4 * GIB, 8 * GIB + 2 * MIB, 2 * GIB, RW,
			0); /* level-2 blocks */
		watch_forbid(&bed, &watcher, GIB - 7 * MIB, 512 * GIB);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB - 7 * MIB), 512 * GIB,
					  flags, &op),
				 0);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		/* [GIB - 8M, GIB - 7M) is left, and two tables above it. */
		assert_int_equal(bed_tables(&bed), 2);
		free(watcher.forbidden);
		watcher.forbidden = NULL;
		close_bed();
	}
}

static void device_tables_are_not_read(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB, 64 * MIB, RW | S2_MEM_DEV_nGnRE,
			S2_MAP_PAGES);
		watch_forbid(&bed, &watcher, GIB, 64 * MIB);
		bed_unmap(&bed, GIB, 64 * MIB, 0);
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		free(watcher.forbidden);
		watcher.forbidden = NULL;
		close_bed();
	}
}

static void destroy_reads_no_leaf_table_with_fwb(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	watch_forbid(&bed, &watcher, 0, UINT64_C(1) << IPA_BITS);
	assert_int_equal(s2_destroy(&bed.s2, 0, NULL), 0);
	watch_stop(&bed);
	bed_close(&bed);
}

/* Not even its metadata: what is there after the detach is not looked at. */
static void a_table_of_pages_is_freed_unread(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	uint64_t *entry;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 4 * MIB, RW, S2_MAP_PAGES);
	entry = bed_entry(&bed, GIB, 3);
	watch_forbid(&bed, &watcher, GIB, 4 * MIB);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op), 0);
	*s2_port_table_meta(bed.s2.port, entry) = UINT64_MAX;
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	assert_int_equal(bed_tables(&bed), 0);
	watch_stop(&bed);
	close_bed();
}

/* One non-cacheable page among 512 tables: its table alone is read. */
static void a_page_to_clean_costs_its_table(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	bed_unmap(&bed, GIB + 100 * MIB, PAGE, 0);
	bed_map(&bed, GIB + 100 * MIB, 8 * GIB, PAGE, RW | S2_MEM_NC, 0);
	bed_cost(&bed);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op), 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, PAGE);
	assert_true(op.visited <= 1100 + 512 + 512);
	close_bed();
}

/* Not a promise: a freed page keeps what was in it; the port's alloc zeroes. */
static void unmap_does_not_zero_a_freed_table(void **state)
{
	uint64_t page;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
	page = desc_oa(&bed.s2, bed_lookup(&bed, GIB).desc);
	assert_true(page == 4 * GIB);
	bed_unmap(&bed, GIB, 2 * MIB, 0);
	/* The last freed is the first on the port's stack. */
	for (unsigned i = 0, valid = 0; i < 2; i++) {
		const uint64_t *t =
			(const uint64_t
				 *)(const void *)(bed.port.arena +
						  ((uint64_t)bed.port
							   .free[bed.port.nfree - 1 - i]
						   << 12));

		for (unsigned e = 0; e < ENTRIES; e++)
			valid += desc_valid(t[e]);
		assert_true(i == 0 || valid >= ENTRIES);
	}
	close_bed();
}

/* ---- P7: budgets ---------------- */

static void every_operation_keeps_the_smallest_budget(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		struct s2_limbo limbo = { 0 };
		struct s2_op op = SMALLEST;
		bool young = false;

		open_bed(feature_set(f));
#define RANGE s2_ipa(GIB - 16 * MIB), 48 * MIB
		STEPS(op, s2_map(&bed.s2, s2_ipa(GIB - 16 * MIB), s2_pa(4 * GIB),
				 48 * MIB, RWX | S2_MEM_NC, S2_MAP_PAGES, &op));
		assert_true(steps >= 24);
		STEPS(op, s2_age(&bed.s2, RANGE, S2_CLEAR, &young, &op));
		assert_true(steps >= 24);
		assert_true(young);
		STEPS(op, s2_clean(&bed.s2, RANGE, 0, &op));
		assert_true(steps >= 24);
		STEPS(op, s2_wrprotect(&bed.s2, RANGE, 0, &op));
		assert_true(steps >= 24);
		op.limbo = &limbo;
		STEPS(op, s2_unmap(&bed.s2, RANGE, 0, &op));
		assert_true(steps >= 24);
		assert_int_equal(bed_tables(&bed), 1 + 1 + 24);
		STEPS(op, s2_release(&bed.s2, &limbo, &op));
		assert_int_equal(bed_tables(&bed), 0);

		op.limbo = NULL;
		bed_map(&bed, 2 * GIB, 4 * GIB, GIB, RW, 0);
		STEPS(op, s2_split(&bed.s2, s2_ipa(2 * GIB), 16 * MIB, 0, &op));
		/* The level-1 block alone, then two tables a step at most. */
		assert_true(steps >= 1 + 4);
		assert_int_equal(bed_lookup(&bed, 2 * GIB + 16 * MIB - PAGE).level, 3);
		assert_int_equal(bed_lookup(&bed, 2 * GIB + 16 * MIB).level, 2);
		STEPS(op, s2_map(&bed.s2, s2_ipa(2 * GIB), s2_pa(8 * GIB), 32 * MIB, RW,
				 S2_MAP_REPLACE | S2_MAP_PAGES, &op));
		bed_check(&bed);
		STEPS(op, s2_destroy(&bed.s2, 0, &op));
		close_bed();
	}
}

static uint64_t stores;

static void count_stores(enum count_event what, uint64_t at, uint64_t value)
{
	(void)at;
	(void)value;
	stores += what == COUNT_STORE;
}

/*
 * What a map writes into a new table without a look counts as visits, and a step has a
 * constant number of windows, each with its own invalidation or DSB (P5, P7).
 */
static void a_map_keeps_a_large_budget(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct s2_op op = { .max_entries = 4096, .max_bytes = 2 * MIB };
		int ret = S2_MORE;

		open_bed(round ? 0 : S2_FEAT_FWB);
		/* Pages into new tables; or blocks whose permissions change in place. */
		if (round)
			bed_map(&bed, GIB, 4 * GIB, 128 * MIB, S2_R, 0);
		watcher.also = count_stores;
		for (steps = 0; ret == S2_MORE; steps++) {
			struct cost c;

			bed_cost(&bed);
			stores = 0;
			watch_call(&watcher);
			ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 128 * MIB, RW,
				     round ? 0 : S2_MAP_PAGES, &op);
			watch_return(&watcher);
			c = bed_cost(&bed);
			assert_in_range(stores, 0, 4096);
			assert_in_range(c.dsb, 0, 4 * 3);
			assert_in_range(c.tlbi, 0, 4 * 3);
		}
		assert_int_equal(ret, 0);
		assert_true(steps >= 8);
		watcher.also = NULL;
		close_bed();
	}
}

/* A block may be cleaned in more than one step; a leaf may end in the middle. */
static void a_step_may_end_inside_a_leaf(void **state)
{
	struct s2_op op = SMALLEST;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	bed_cost(&bed);
	STEPS(op, s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op));
	assert_true(steps >= 512);
	assert_int_equal(bed_cost(&bed).clean_bytes, GIB);
	close_bed();
}

/* Nothing is cleaned twice, whatever the budget. */
static void cleaning_in_steps_cleans_once(void **state)
{
	(void)state;
	for (uint32_t entries = 512; entries < 2000; entries += 149)
		for (uint64_t bytes = 2 * MIB; bytes < 4 * MIB; bytes += 333 * PAGE) {
			struct s2_op op = { .max_entries = entries, .max_bytes = bytes };

			open_bed(0);
			bed_map(&bed, GIB, 4 * GIB, 16 * MIB, RW, S2_MAP_PAGES);
			bed_map(&bed, GIB + 16 * MIB, 8 * GIB, 16 * MIB, RW, 0);
			bed_cost(&bed);
			STEPS(op, s2_unmap(&bed.s2, s2_ipa(GIB), 32 * MIB, 0, &op));
			assert_int_equal(bed_cost(&bed).clean_bytes, 32 * MIB);
			close_bed();
		}
}

/*
 * Between two steps another call maps a block over the place where the first step ended.
 * What the flags say of edges is decided on it (P13), and the rest of the range is
 * unmapped all the same (P15).
 */
static void a_block_mapped_between_steps_hides_nothing(void **state)
{
	static const uint32_t flags[] = { 0, S2_DROP_EDGES, S2_SPLIT_EDGES };

	(void)state;
	/* A range inside the block at its end, then one that goes beyond. */
	for (unsigned beyond = 0; beyond < 2; beyond++)
		for (unsigned i = 0; i < 3; i++) {
			const uint64_t start = GIB + 10 * PAGE, block = GIB + 2 * MIB;
			const uint64_t end = block + (beyond ? 3 * MIB : MIB);
			struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
			uint64_t at;
			int ret;

			/* With memory to clean a table goes leaf by leaf. */
			open_bed(0);
			bed_map(&bed, GIB, 4 * GIB, 6 * MIB, RW, S2_MAP_PAGES);
			do
				ret = s2_unmap(&bed.s2, s2_ipa(start), end - start,
					       flags[i], &op);
			while (ret == S2_MORE && op.done.ipa <= block);
			assert_int_equal(ret, S2_MORE);
			at = op.done.ipa;
			assert_in_range(at, block + PAGE, block + MIB - PAGE);
			assert_int_equal(bed_lookup(&bed, at - PAGE).state, S2_EMPTY);
			assert_int_equal(bed_lookup(&bed, at).state, S2_LEAF);
			bed_map(&bed, block, 8 * GIB, 2 * MIB, RW, S2_MAP_REPLACE);
			do {
				watch_call(&watcher);
				ret = s2_unmap(&bed.s2, s2_ipa(start), end - start,
					       flags[i], &op);
				watch_return(&watcher);
			} while (ret == S2_MORE);
			if (!flags[i]) {
				/* Not a byte of it, and what was done stays done. */
				assert_int_equal(ret, S2_E_BLOCK);
				assert_int_equal(bed_lookup(&bed, block).level, 2);
				assert_true(op.done.ipa == at);
				at = block + 2 * MIB;
			} else {
				assert_int_equal(ret, 0);
				if (flags[i] == S2_DROP_EDGES)
					at = block;
				else
					assert_int_equal(
						bed_lookup(&bed, at - PAGE).state,
						S2_LEAF);
				for (uint64_t a = at; a < end; a += PAGE)
					assert_int_equal(bed_lookup(&bed, a).state,
							 S2_EMPTY);
				/* The part behind the range. */
				assert_int_equal(bed_lookup(&bed, end).state,
						 !beyond && flags[i] == S2_DROP_EDGES ?
							 S2_EMPTY :
							 S2_LEAF);
			}
			for (uint64_t a = start; a < block; a += PAGE)
				assert_int_equal(bed_lookup(&bed, a).state, S2_EMPTY);
			for (uint64_t a = block; a < at; a += PAGE)
				assert_true(
					bed_lookup(&bed, a).state == S2_LEAF &&
					bed_lookup(&bed, a).pa.pa +
							(a -
							 bed_lookup(&bed, a).ipa.ipa) ==
						a - block + 8 * GIB);
			close_bed();
		}
}

/*
 * No step leaves anything busy where no block is larger than its bytes (test_parked.c).
 */
static void nothing_is_busy_between_steps(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++)
		for (unsigned how = 0; how < 4; how++) {
			struct s2_op op = SMALLEST;
			struct s2_mapping m;
			struct s2_iter it;
			int ret;

			open_bed(feature_set(f));
			/* Pages, blocks, pages; FWB and not. */
			bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW, S2_MAP_PAGES);
			bed_map(&bed, GIB + 8 * MIB, 8 * GIB, 8 * MIB, RW | S2_MEM_NC, 0);
			bed_map(&bed, GIB + 16 * MIB, 12 * GIB, 8 * MIB, RW | S2_MEM_NC,
				S2_MAP_PAGES);
			do {
				watch_call(&watcher);
				ret = how < 2 ? s2_unmap(&bed.s2, s2_ipa(GIB + PAGE),
							 24 * MIB - 2 * PAGE,
							 how ? S2_NO_CLEAN : 0, &op) :
						s2_map(&bed.s2, s2_ipa(GIB),
						       s2_pa(16 * GIB), 24 * MIB, RW,
						       S2_MAP_REPLACE |
							       (how == 3 ? S2_MAP_PAGES :
									   0),
						       &op);
				watch_return(&watcher);
				within_budget(&op);
				assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(GIB),
							       24 * MIB),
						 0);
				while (s2_iter_next(&it, &m))
					assert_int_equal(m.state, S2_LEAF);
			} while (ret == S2_MORE);
			assert_int_equal(ret, 0);
			steps = 0;
			close_bed();
		}
}

/* ---- P8: nothing there ---------------- */

static void unmap_of_an_empty_range_costs_no_barrier(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		struct s2_op op = { 0 };
		struct cost c;

		open_bed(feature_set(f));
		assert_int_equal(
			s2_unmap(&bed.s2, s2_ipa(0), UINT64_C(1) << IPA_BITS, 0, &op), 0);
		assert_true(op.visited <= 1024);
		bed_map(&bed, GIB, GIB, PAGE, RW, 0);
		bed_cost(&bed);
		bed_unmap(&bed, GIB + PAGE, GIB - PAGE, 0);
		bed_unmap(&bed, 0, GIB, 0);
		assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(0), GIB, 0, NULL), 0);
		assert_int_equal(s2_split(&bed.s2, s2_ipa(0), 4 * GIB, 0, NULL), 0);
		c = bed_cost(&bed);
		assert_int_equal(c.tlbi | c.dsb | c.isb | c.agents, 0);
		close_bed();
	}
}

/* ---- P11: a table whose last entry goes ---------------- */

static void shuffle(uint32_t *order, uint32_t n)
{
	while (n > 1) {
		uint32_t i = (uint32_t)below(n--), t = order[i];

		order[i] = order[n];
		order[n] = t;
	}
}

/*
 * Only the root is left, and no call visits more than a few entries; but the last,
 * which frees the level-2 table, and so reads it for tables below.
 */
static void page_by_page(uint32_t features, const uint32_t *order)
{
	const uint64_t few = 12, last = few + ENTRIES;
	struct s2_op op = { 0 };
	uint64_t total = 0;

	open_bed(features);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	assert_int_equal(bed_tables(&bed), 513);
	bed_cost(&bed);
	for (uint32_t i = 0; i < GIB / PAGE; i++) {
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + order[i] * PAGE), PAGE, 0,
					  &op),
				 0);
		if (op.visited > (i + 1 < GIB / PAGE ? few : last))
			fail_msg("page %u: %" PRIu64 " visits", order[i], op.visited);
		total += op.visited;
		if (i % 65536 == 0)
			bed_check(&bed);
	}
	assert_int_equal(bed_tables(&bed), 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, features & S2_FEAT_FWB ? 0 : GIB);
	bed_check(&bed);
	assert_true(total <= 7 * (GIB / PAGE));
	close_bed();
}

static void a_gib_page_by_page_leaves_the_root(void **state)
{
	static uint32_t order[GIB / PAGE];
	uint32_t n = GIB / PAGE;

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		for (uint32_t i = 0; i < n; i++)
			order[i] = i;
		page_by_page(feature_set(f), order);
		for (uint32_t i = 0; i < n; i++)
			order[i] = n - 1 - i;
		page_by_page(feature_set(f), order);
		shuffle(order, n);
		page_by_page(feature_set(f), order);
	}
}

/* ---- P12: destroy ---------------- */

static struct {
	unsigned whole, freed;
	bool complete;
} end;

static void order_of_destroy(enum count_event what, uint64_t at, uint64_t value)
{
	(void)at;
	(void)value;
	if (what == COUNT_VMALLS12E1IS)
		end.whole++;
	if (what == COUNT_DSB_ISH && end.whole)
		end.complete = true;
	if (what == COUNT_FREE || what == COUNT_ROOT_FREE) {
		assert_true(end.complete);
		end.freed += what == COUNT_FREE;
	}
}

static void destroy_ends_the_vmid(uint32_t features, uint64_t size, bool noted)
{
	open_bed(features);
	if (size)
		bed_map(&bed, GIB, GIB + PAGE, size, RW, 0);
	/* What is dropped without a TLBI does not stand for one. */
	if (noted)
		assert_int_equal(s2_annotate(&bed.s2, s2_ipa(2 * GIB), GIB, 7, 0, NULL),
				 0);
	memset(&end, 0, sizeof(end));
	watcher.also = order_of_destroy;
	bed_cost(&bed);
	assert_int_equal(s2_destroy(&bed.s2, 0, NULL), 0);
	watcher.also = NULL;
	assert_int_equal(end.whole, 1);
	assert_int_equal(end.freed, size ? 2 + size / (2 * MIB) - 1 : 0);
	assert_int_equal(bed_cost(&bed).tlbi, 1);
	close_bed();
}

static void destroy_ends_the_vmid_before_it_frees(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++)
		for (uint64_t size = 0; size <= 8 * MIB; size += 8 * MIB) {
			destroy_ends_the_vmid(feature_set(f), size, false);
			destroy_ends_the_vmid(feature_set(f), size, true);
		}
}

static void destroy_of_an_unused_vmid_invalidates_nothing(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, GIB, 8 * MIB, RW, S2_MAP_PAGES);
	bed_cost(&bed);
	/* Outside the referee: it knows nothing of VMIDs. */
	watch_stop(&bed);
	assert_int_equal(s2_destroy(&bed.s2, S2_VMID_UNUSED, NULL), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	bed_close(&bed);
}

static void limbo_keeps_tables_until_they_are_released(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB, 2 * GIB, RW, S2_MAP_PAGES);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * GIB, 0, &op), 0);
		assert_int_equal(bed_tables(&bed), 2 * 513);
		/* The place is free again at once. */
		bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
		bed_unmap(&bed, GIB, PAGE, 0);
		assert_int_equal(bed_tables(&bed), 2 * 513);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		assert_int_equal(bed_tables(&bed), 0);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		close_bed();
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmap_never_allocates),
		cmocka_unit_test(dropped_edges_are_reported),
		cmocka_unit_test(split_edges_keep_the_rest),
		cmocka_unit_test(unmap_costs_a_constant),
		cmocka_unit_test(the_last_block_of_a_table_goes_by_one_address),
		cmocka_unit_test(unmap_of_a_full_gib_is_two_tlbis_and_three_dsbs),
		cmocka_unit_test(the_level_of_the_leaves_is_told),
		cmocka_unit_test(a_batch_tells_the_level_of_each_place),
		cmocka_unit_test(the_erratum_repeats_once),
		cmocka_unit_test(whole_tables_are_not_read),
		cmocka_unit_test(device_tables_are_not_read),
		cmocka_unit_test(destroy_reads_no_leaf_table_with_fwb),
		cmocka_unit_test(a_table_of_pages_is_freed_unread),
		cmocka_unit_test(a_page_to_clean_costs_its_table),
		cmocka_unit_test(unmap_does_not_zero_a_freed_table),
		cmocka_unit_test(every_operation_keeps_the_smallest_budget),
		cmocka_unit_test(a_map_keeps_a_large_budget),
		cmocka_unit_test(a_step_may_end_inside_a_leaf),
		cmocka_unit_test(cleaning_in_steps_cleans_once),
		cmocka_unit_test(a_block_mapped_between_steps_hides_nothing),
		cmocka_unit_test(nothing_is_busy_between_steps),
		cmocka_unit_test(unmap_of_an_empty_range_costs_no_barrier),
		cmocka_unit_test(a_gib_page_by_page_leaves_the_root),
		cmocka_unit_test(destroy_ends_the_vmid_before_it_frees),
		cmocka_unit_test(destroy_of_an_unused_vmid_invalidates_nothing),
		cmocka_unit_test(limbo_keeps_tables_until_they_are_released),
	};

	rnd_state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	print_message("# seed %" PRIu64 "\n", rnd_state);
	return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
