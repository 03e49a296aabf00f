/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contiguous runs (S2_MAP_CONT): where the hint is set, and that it is taken from all of
 * a run before a member changes. The referee knows the Contiguous bit as one that takes
 * break-before-make; meta_check(), in bed_check(), that a run is whole and alike.
 */
#include "watched.h"
#include "desc.h"

#define RUN (16 * PAGE)

/* Leaves of the range that have the hint. */
static unsigned hinted(uint64_t ipa, uint64_t size)
{
	struct s2_mapping m;
	struct s2_iter it;
	unsigned n = 0;

	bed_check(&bed);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(ipa), size), 0);
	while (s2_iter_next(&it, &m)) {
		assert_int_equal(m.contiguous, m.desc >> 52 & 1);
		n += m.contiguous;
	}
	return n;
}

static void whole_aligned_runs_get_the_hint(void **state)
{
	(void)state;
	open_bed(0);
	/* Two whole runs, with pages before and after. */
	bed_map(&bed, GIB + 15 * PAGE, 4 * GIB + 15 * PAGE, 40 * PAGE, RW, S2_MAP_CONT);
	assert_int_equal(hinted(GIB, 16 * PAGE), 0);
	assert_int_equal(hinted(GIB + RUN, 2 * RUN), 32);
	assert_int_equal(hinted(GIB + 3 * RUN, RUN), 0);
	/* Not without being asked, nor where the output is not aligned. */
	bed_map(&bed, 2 * GIB, 4 * GIB, RUN, RW, 0);
	bed_map(&bed, 3 * GIB, 4 * GIB + PAGE, 2 * RUN, RW, S2_MAP_CONT);
	assert_int_equal(hinted(2 * GIB, GIB + 2 * RUN), 0);
	/* Blocks have runs of their own. */
	bed_map(&bed, 4 * GIB, 8 * GIB, 34 * MIB, RW, S2_MAP_CONT);
	assert_int_equal(hinted(4 * GIB, 34 * MIB), 16);
	bed_map(&bed, 16 * GIB, 16 * GIB, 16 * GIB, RW, S2_MAP_CONT);
	assert_int_equal(hinted(16 * GIB, 16 * GIB), 16);
	close_bed();
}

static void each_granule_has_its_run_lengths(void **state)
{
	static const struct {
		unsigned shift;
		int level;
		unsigned leaves;
	} run[] = { { 12, 3, 16 }, { 12, 2, 16 }, { 12, 1, 16 }, { 14, 3, 128 },
		    { 14, 2, 32 }, { 16, 3, 32 }, { 16, 2, 32 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(run) / sizeof(*run); i++) {
		struct s2 s2 = { .granule_shift = (uint8_t)run[i].shift };

		assert_true(run_size(&s2, run[i].level) ==
			    run[i].leaves * level_size(&s2, run[i].level));
	}
}

static void a_run_among_what_stays_is_not_hinted(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB + 3 * PAGE, 4 * GIB + 3 * PAGE, PAGE, RW, 0);
	bed_map(&bed, GIB, 4 * GIB, 2 * RUN, RW, S2_MAP_CONT);
	assert_int_equal(hinted(GIB, 2 * RUN), 0);
	close_bed();
}

/* What is done to part of a run, and how much of it is mapped afterwards. */
static int unmap_part(void)
{
	return s2_unmap(&bed.s2, s2_ipa(GIB + RUN + PAGE), PAGE, 0, NULL);
}

static int unmap_edge(void)
{
	return s2_unmap(&bed.s2, s2_ipa(GIB), RUN + PAGE, S2_DROP_EDGES, NULL);
}

static int replace_part(void)
{
	return s2_map(&bed.s2, s2_ipa(GIB + RUN + PAGE), s2_pa(8 * GIB), PAGE, RW,
		      S2_MAP_REPLACE, NULL);
}

static int remap_part(void)
{
	return s2_map(&bed.s2, s2_ipa(GIB + RUN + PAGE), s2_pa(4 * GIB + RUN + PAGE),
		      PAGE, S2_R, 0, NULL);
}

/* A table of annotations stays in the place of a member. */
static void a_run_with_a_table_in_it_is_not_hinted(void **state)
{
	(void)state;
	open_bed(0);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(GIB + 10 * MIB), PAGE, 3, 0, NULL),
			 0);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_CONT);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_int_equal(bed_lookup(&bed, GIB + 10 * MIB).level, 3);
	assert_int_equal(hinted(GIB, 32 * MIB), 0);
	close_bed();
}

static void part_of_a_run_takes_the_hint_from_all(void **state)
{
	static const struct {
		int (*call)(void);
		unsigned left, invalidations;
	} part[] = { { unmap_part, 32, 2 },
		     { unmap_edge, 16, 2 },
		     { replace_part, 32, 2 },
		     { remap_part, 32, 2 } };

	(void)state;
	for (uint32_t af = 0; af < 2; af++)
		for (unsigned i = 0; i < sizeof(part) / sizeof(*part); i++) {
			open_bed(af ? S2_FEAT_HAFDBS : 0);
			bed_map(&bed, GIB, 4 * GIB, 3 * RUN, RW, S2_MAP_CONT);
			assert_int_equal(hinted(GIB, 3 * RUN), 48);
			bed_cost(&bed);
			watch_call(&watcher);
			assert_int_equal(part[i].call(), 0);
			watch_return(&watcher);
			assert_int_equal(bed_cost(&bed).agents, part[i].invalidations);
			assert_int_equal(hinted(GIB, 3 * RUN), part[i].left);
			/* The rest of the run is mapped as it was. */
			assert_int_equal(bed_lookup(&bed, GIB + RUN + 2 * PAGE).attr, RW);
			close_bed();
		}
}

/*
 * An edge inside a run costs one invalidation for its hint, whatever the run's leaves
 * and the range; the second edge of the same run costs none.
 */
static void an_edge_costs_an_invalidation(void **state)
{
	static const uint64_t leaf[] = { PAGE, 2 * MIB, GIB };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const uint64_t one = leaf[i], run = 16 * one, at = 64 * GIB;

		open_bed(S2_FEAT_FWB);
		bed_map(&bed, at, at, 4 * run, RW, S2_MAP_CONT);
		assert_int_equal(hinted(at, 4 * run), 64);
		bed_cost(&bed);
		/* Two runs. */
		bed_unmap(&bed, at + one, 2 * run, 0);
		assert_int_equal(bed_cost(&bed).agents, 3);
		assert_int_equal(hinted(at, 4 * run), 16);
		/* One, for both edges. */
		bed_unmap(&bed, at + 3 * run + one, 3 * one, 0);
		assert_int_equal(bed_cost(&bed).agents, 2);
		assert_int_equal(hinted(at, 4 * run), 0);
		/* None is left. */
		bed_unmap(&bed, at + 3 * run + 7 * one, 3 * one, 0);
		assert_int_equal(bed_cost(&bed).agents, 1);
		close_bed();
	}
}

/*
 * The edge lies inside a block that is a member: the block is split, the run goes first.
 */
static void a_split_edge_inside_a_run_of_blocks(void **state)
{
	const uint64_t run = 32 * MIB, edge = GIB + 6 * MIB + 9 * PAGE;

	(void)state;
	for (unsigned f = 0; f < 4; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB, 2 * run, RW, S2_MAP_CONT);
		assert_int_equal(hinted(GIB, 2 * run), 32);
		watch_call(&watcher);
		if (f & 1)
			bed_unmap(&bed, edge, 2 * PAGE, S2_SPLIT_EDGES);
		else
			bed_map(&bed, edge, 8 * GIB, 2 * PAGE, RW,
				S2_MAP_REPLACE | S2_SPLIT_EDGES);
		watch_return(&watcher);
		assert_int_equal(hinted(GIB, run), 0);
		assert_int_equal(hinted(GIB + run, run), 16);
		for (uint64_t at = 0; at < run; at += PAGE) {
			struct s2_mapping m = bed_lookup(&bed, GIB + at);
			bool in = GIB + at >= edge && GIB + at < edge + 2 * PAGE;

			assert_int_equal(m.state, in && f & 1 ? S2_EMPTY : S2_LEAF);
			if (!in)
				assert_true(m.pa.pa - m.ipa.ipa == 3 * GIB);
		}
		close_bed();
	}
}

static void whole_runs_cost_nothing_more(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 4 * RUN, RW, S2_MAP_CONT);
	bed_cost(&bed);
	bed_unmap(&bed, GIB + RUN, 2 * RUN, 0);
	assert_int_equal(bed_cost(&bed).agents, 1);
	assert_int_equal(hinted(GIB, 4 * RUN), 32);
	/* The same pages mapped again say nothing of the hint, and change nothing. */
	bed_map(&bed, GIB + PAGE, 4 * GIB + PAGE, PAGE, RW, 0);
	assert_int_equal(bed_cost(&bed).agents, 0);
	assert_int_equal(hinted(GIB, RUN), 16);
	close_bed();
}

static void in_place_changes_take_the_whole_run(void **state)
{
	bool young = false;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 3 * RUN, RW, S2_MAP_CONT);
	bed_cost(&bed);
	assert_int_equal(
		s2_wrprotect(&bed.s2, s2_ipa(GIB + RUN + 5 * PAGE), PAGE, 0, NULL), 0);
	assert_int_equal(bed_cost(&bed).agents, 1);
	assert_int_equal(hinted(GIB, 3 * RUN), 48);
	for (unsigned i = 0; i < 48; i++)
		assert_int_equal(bed_lookup(&bed, GIB + i * PAGE).attr,
				 i / 16 == 1 ? S2_R : RW);
	assert_int_equal(
		s2_age(&bed.s2, s2_ipa(GIB + 9 * PAGE), PAGE, S2_CLEAR, &young, NULL), 0);
	assert_true(young);
	assert_false(bed_lookup(&bed, GIB).young);
	assert_true(bed_lookup(&bed, GIB + RUN).young);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB + PAGE), 0), 0);
	assert_true(bed_lookup(&bed, GIB + 15 * PAGE).young);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB + RUN), S2_W | S2_X, 0), 0);
	assert_int_equal(bed_cost(&bed).exec_bytes, RUN);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * RUN - PAGE).attr, RWX);
	assert_int_equal(hinted(GIB, 3 * RUN), 48);
	close_bed();
}

/* The access flag that hardware set in one member speaks for the run. */
static void one_young_member_makes_the_run_young(void **state)
{
	bool young = false;

	(void)state;
	open_bed(S2_FEAT_HAFDBS);
	bed_map(&bed, GIB, 4 * GIB, RUN, RW, S2_MAP_CONT);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), RUN, S2_CLEAR, &young, NULL), 0);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB + 15 * PAGE), 0), 0);
	young = false;
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, 0, &young, NULL), 0);
	assert_true(young);
	/* Hardware sets the flag of the member that it likes; a lookup sees it. */
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), RUN, S2_CLEAR, &young, NULL), 0);
	bed_map(&bed, GIB + RUN, 4 * GIB + RUN, RUN, RW, S2_MAP_CONT);
	for (unsigned i = 0; i < 16; i++) {
		uint64_t *entry = bed_entry(&bed, GIB + i * PAGE, 3);

		for (unsigned j = 0; j < 16; j++)
			assert_false(bed_lookup(&bed, GIB + j * PAGE).young);
		*entry |= DESC_AF;
		for (unsigned j = 0; j < 16; j++)
			assert_true(bed_lookup(&bed, GIB + j * PAGE).young);
		*entry &= ~DESC_AF;
	}
	close_bed();
}

/* Steps of 512 visits never end inside a run, and always get on. */
static void steps_end_between_runs(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	unsigned steps = 0;
	int ret;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW, S2_MAP_CONT | S2_MAP_PAGES);
	assert_int_equal(hinted(GIB, 8 * MIB), 2048);
	while ((ret = s2_wrprotect(&bed.s2, s2_ipa(GIB + PAGE), 8 * MIB - 2 * PAGE, 0,
				   &op)) == S2_MORE) {
		assert_int_equal(op.done.ipa % RUN, 0);
		assert_int_equal(hinted(GIB, 8 * MIB), 2048);
	}
	assert_int_equal(ret, 0);
	op = (struct s2_op){ .max_entries = S2_BUDGET_ENTRIES_MIN };
	do {
		watch_call(&watcher);
		ret = s2_unmap(&bed.s2, s2_ipa(GIB + PAGE), 8 * MIB - PAGE, 0, &op);
		watch_return(&watcher);
		assert_true(++steps < 100);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_lookup(&bed, GIB).state, S2_LEAF);
	assert_false(bed_lookup(&bed, GIB).contiguous);
	close_bed();
}

static void split_and_collapse_leave_no_stray_hint(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, 4 * GIB, 8 * GIB, 32 * MIB, RW, S2_MAP_CONT);
	assert_int_equal(hinted(4 * GIB, 32 * MIB), 16);
	watch_call(&watcher);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(4 * GIB + 6 * MIB), PAGE, 0, NULL), 0);
	watch_return(&watcher);
	assert_int_equal(hinted(4 * GIB, 32 * MIB), 0);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_CONT | S2_MAP_PAGES);
	assert_int_equal(hinted(GIB, 2 * MIB), 512);
	/* One run without the hint is no reason to keep the table. */
	bed_map(&bed, GIB + PAGE, 4 * GIB + PAGE, PAGE, S2_R, 0);
	bed_map(&bed, GIB + PAGE, 4 * GIB + PAGE, PAGE, RW, 0);
	assert_int_equal(hinted(GIB, 2 * MIB), 496);
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, NULL), 0);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_int_equal(hinted(GIB, 2 * MIB), 0);
	close_bed();
}

/* Members must stay alike; calls beside each other could not see to it. */
static void an_instance_with_runs_is_exclusive(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
	assert_int_equal(s2_map(s2, s2_ipa(GIB), s2_pa(GIB), RUN, RW,
				S2_MAP_CONT | S2_SHARED, NULL),
			 S2_E_FLAGS);
	assert_int_equal(s2_map(s2, s2_ipa(GIB), s2_pa(GIB), RUN, RW | S2_DBM,
				S2_MAP_CONT, NULL),
			 S2_E_ATTR);
	assert_int_equal(bed_tables(&bed), 0);
	bed_map(&bed, GIB, 4 * GIB, RUN, RW, S2_MAP_CONT);
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB), RUN, S2_SHARED, &op), S2_E_FLAGS);
	assert_int_equal(s2_wrprotect(s2, s2_ipa(GIB), RUN, S2_SHARED, NULL), S2_E_FLAGS);
	assert_int_equal(s2_relax_perms(s2, s2_ipa(GIB), S2_X, S2_SHARED), S2_E_FLAGS);
	assert_int_equal(s2_mkyoung(s2, s2_ipa(GIB), S2_SHARED), S2_E_FLAGS);
	assert_int_equal(s2_map(s2, s2_ipa(2 * GIB), s2_pa(GIB), PAGE, RW, S2_SHARED,
				NULL),
			 S2_E_FLAGS);
	assert_int_equal(hinted(GIB, RUN), 16);
	close_bed();
}

/* Hardware would record a write to one member in another. */
static void a_run_gets_no_dirty_state(void **state)
{
	static const uint32_t flags[] = { 0, S2_MAP_REPLACE, S2_SPLIT_EDGES };
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
	bed_map(&bed, GIB, 4 * GIB, RUN, S2_R, S2_MAP_CONT);
	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		assert_int_equal(s2_map(s2, s2_ipa(GIB), s2_pa(4 * GIB), 2 * RUN,
					S2_R | S2_DBM, flags[i], NULL),
				 S2_E_ATTR);
		assert_int_equal(hinted(GIB, 2 * RUN), 16);
		assert_int_equal(bed_lookup(&bed, GIB).attr, S2_R);
	}
	/* Not what is beside it, nor what takes its place. */
	bed_map(&bed, GIB + RUN, 4 * GIB + RUN, RUN, S2_R, 0);
	bed_map(&bed, GIB + RUN, 4 * GIB + RUN, RUN, S2_R | S2_DBM, 0);
	bed_map(&bed, GIB, 8 * GIB, RUN, S2_R | S2_DBM, S2_MAP_REPLACE);
	assert_int_equal(hinted(GIB, 2 * RUN), 0);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_aligned_runs_get_the_hint),
		cmocka_unit_test(each_granule_has_its_run_lengths),
		cmocka_unit_test(a_run_among_what_stays_is_not_hinted),
		cmocka_unit_test(a_run_with_a_table_in_it_is_not_hinted),
		cmocka_unit_test(part_of_a_run_takes_the_hint_from_all),
		cmocka_unit_test(an_edge_costs_an_invalidation),
		cmocka_unit_test(a_split_edge_inside_a_run_of_blocks),
		cmocka_unit_test(whole_runs_cost_nothing_more),
		cmocka_unit_test(in_place_changes_take_the_whole_run),
		cmocka_unit_test(one_young_member_makes_the_run_young),
		cmocka_unit_test(steps_end_between_runs),
		cmocka_unit_test(split_and_collapse_leave_no_stray_hint),
		cmocka_unit_test(an_instance_with_runs_is_exclusive),
		cmocka_unit_test(a_run_gets_no_dirty_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
