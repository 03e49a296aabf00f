/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an op says after a call, and what a step does of what its budget allows,
 * to the entry and to the byte.
 */
#include "watch.h"
#include "desc.h"

#define IPA_BITS 40

static struct bed bed;
static struct watch watcher;

static struct {
	uint64_t loads, cleans, freed;
	bool whole_pages;
} count;

static void on_event(enum count_event what, uint64_t at, uint64_t value)
{
	count.loads += what == COUNT_LOAD;
	count.cleans += what == COUNT_CLEAN;
	count.freed += what == COUNT_FREE;
	if (what == COUNT_CLEAN && ((at | value) & (PAGE - 1) || !value))
		count.whole_pages = false;
}

static void open_bed(uint32_t features)
{
	bed_open(&bed, IPA_BITS, features, 1100);
	watcher = (struct watch){ .also = on_event };
	watch_start(&bed, &watcher);
	memset(&count, 0, sizeof(count));
	count.whole_pages = true;
}

static void close_bed(void)
{
	watch_return(&watcher);
	watch_call(&watcher);
	bed_close(&bed);
}

static void changed_counts_entries_and_detached_tables(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(0);
	assert_int_equal(
		s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 4 * PAGE, RW, 0, &op), 0);
	assert_int_equal(op.changed, 4);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + 2 * PAGE),
				s2_pa(4 * GIB + 2 * PAGE), 4 * PAGE, S2_R, 0, &op),
			 0);
	assert_int_equal(op.changed, 2 + 2);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), 6 * PAGE, 0, &op), 0);
	assert_int_equal(op.changed, 2);
	/* Six pages, the table that they were in, and the one above. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 6 * PAGE, 0, &op), 0);
	assert_int_equal(op.changed, 6 + 2);
	/* A table as a whole is one, and so is a block. */
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB + 3 * PAGE, RW, S2_MAP_PAGES);
	bed_map(&bed, GIB + 4 * MIB, 4 * GIB + 4 * MIB, 2 * MIB, RW, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, &op), 0);
	assert_int_equal(op.changed, 1);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB + 4 * MIB), PAGE, 0, &op), 0);
	assert_int_equal(op.changed, 1);
	close_bed();
}

/* No scan of an empty root; one walk to what there is, whatever lies before it. */
static void later_phases_begin_where_the_first_did(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(0), UINT64_C(1) << IPA_BITS, 0, &op),
			 0);
	assert_int_equal(op.visited, 0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
	bed_map(&bed, 2 * GIB - PAGE, 8 * GIB, PAGE, RW, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + PAGE), GIB - PAGE, 0, &op), 0);
	/* The first table's holes, those between the tables, the last table: once. */
	assert_in_range(op.visited, 511 + 510 + 512, 511 + 510 + 512 + 8);
	close_bed();
}

/*
 * Root, level 2, level 3: each phase walks there from the root, and the short ways once.
 * What is known to be empty is made unread, and each entry counts all the same.
 */
static void each_phase_walks_to_a_page_once(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	for (unsigned fwb = 0; fwb < 2; fwb++) {
		open_bed(fwb ? S2_FEAT_FWB : 0);
		bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
		/* Look, make; without a clean the short way. */
		assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + PAGE), s2_pa(8 * GIB), PAGE,
					RW, 0, &op),
				 0);
		assert_int_equal(op.visited, fwb ? 3 : 3 + 3);
		/* Look, break, clean, release, make. */
		assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + PAGE), s2_pa(16 * GIB),
					PAGE, RW, S2_MAP_REPLACE, &op),
				 0);
		assert_int_equal(op.visited, 3 + 3 + (fwb ? 0 : 3) + 3 + 3);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + PAGE), PAGE, 0, &op), 0);
		assert_int_equal(op.visited, 3);
		/* Two pages in place: the second is next to the first. */
		bed_map(&bed, GIB + PAGE, 4 * GIB + PAGE, PAGE, RW, 0);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 2 * PAGE,
					S2_R, 0, &op),
				 0);
		assert_int_equal(op.visited, 3 + 1 + 2 + 2);
		close_bed();
	}
}

/* What needs no clean is not looked at to clean it. */
static void pages_without_a_clean_are_visited_twice(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 200 * PAGE, RW, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 100 * PAGE, 0, &op), 0);
	assert_in_range(op.visited, 200, 200 + 4);
	close_bed();
}

/* A page needed it once: its table is looked at, but what is there now does not. */
static void no_clean_no_dsb_sy(void **state)
{
	struct cost c;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
	bed_unmap(&bed, GIB, PAGE, 0);
	bed_map(&bed, GIB, 8 * GIB, PAGE, RW | S2_MEM_NC, 0);
	bed_unmap(&bed, GIB, PAGE, 0);
	bed_map(&bed, GIB, 8 * GIB, PAGE, RW, 0);
	bed_cost(&bed);
	bed_unmap(&bed, GIB, 2 * MIB, 0);
	c = bed_cost(&bed);
	assert_int_equal(c.clean_bytes, 0);
	assert_int_equal(c.dsb, 2); /* VMALLS12E1IS between */
	close_bed();
}

/* Below op.done nothing is left, and it gets there before the last step. */
static void done_moves_with_the_steps(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	bool young = false;
	unsigned moves = 0;
	uint64_t at = GIB + PAGE;
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	/* Two tables' holes, then two of pages, of each the half. */
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
	bed_map(&bed, GIB + 2 * MIB, 8 * GIB, 4 * MIB - PAGE, RW, S2_MAP_PAGES);
	bed_map(&bed, 2 * GIB, 16 * GIB, 6 * MIB, RW, S2_MAP_PAGES);
	do {
		ret = s2_unmap(&bed.s2, s2_ipa(GIB + PAGE), 2 * GIB, 0, &op);
		moves += op.done.ipa > at;
		at = op.done.ipa;
		for (uint64_t ipa = GIB + PAGE; ipa < at && ipa < GIB + 6 * MIB;
		     ipa += PAGE)
			assert_int_equal(bed_lookup(&bed, ipa).state, S2_EMPTY);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(at == 3 * GIB + PAGE);
	assert_true(moves >= 3);
	/* All of it mapped: one window of pages, then the next. */
	bed_map(&bed, 4 * GIB, 4 * GIB, 4 * MIB, RW, S2_MAP_PAGES);
	moves = 0;
	do {
		ret = s2_unmap(&bed.s2, s2_ipa(4 * GIB + PAGE), 4 * MIB - 2 * PAGE, 0,
			       &op);
		at = op.done.ipa;
		moves += at > 4 * GIB + PAGE && at < 4 * GIB + 4 * MIB - PAGE;
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(moves > 0);
#define MOVES(call)                                                      \
	do {                                                             \
		moves = 0;                                               \
		do {                                                     \
			ret = (call);                                    \
			at = op.done.ipa;                                \
			moves += at > 4 * GIB && at < 4 * GIB + 8 * MIB; \
		} while (ret == S2_MORE);                                \
		assert_int_equal(ret, 0);                                \
		assert_true(at == 4 * GIB + 8 * MIB);                    \
		assert_true(moves > 0);                                  \
	} while (0)
#define RANGE s2_ipa(4 * GIB), 8 * MIB
	bed_unmap(&bed, 4 * GIB, 8 * MIB, 0);
	bed_map(&bed, 4 * GIB, 4 * GIB, 8 * MIB, RW | S2_MEM_NC, 0);
	MOVES(s2_split(&bed.s2, RANGE, 0, &op));
	MOVES(s2_age(&bed.s2, RANGE, S2_CLEAR, &young, &op));
	MOVES(s2_wrprotect(&bed.s2, RANGE, 0, &op));
	MOVES(s2_clean(&bed.s2, RANGE, 0, &op));
	MOVES(s2_map(&bed.s2, s2_ipa(4 * GIB), s2_pa(8 * GIB), 8 * MIB, RW,
		     S2_MAP_REPLACE | S2_MAP_PAGES, &op));
	/* Refused at once: nothing is done. */
	assert_int_equal(s2_map(&bed.s2, s2_ipa(5 * GIB), s2_pa(0), PAGE, RW, 0, NULL),
			 0);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(5 * GIB), s2_pa(GIB), PAGE, RW, 0, &op),
			 S2_E_EXIST);
	assert_true(op.done.ipa == 5 * GIB);
	close_bed();
}

static void a_split_in_steps_leaves_no_block(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	struct s2_mapping m;
	struct s2_iter it;
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, 2 * GIB, 4 * GIB, 2 * GIB, RW, 0);
	do
		ret = s2_split(&bed.s2, s2_ipa(2 * GIB), GIB + 3 * MIB, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(op.changed, 2 + 512 + 2);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(2 * GIB), 2 * GIB), 0);
	while (s2_iter_next(&it, &m))
		assert_int_equal(m.level, m.ipa.ipa < 3 * GIB + 4 * MIB ? 3 : 2);
	assert_int_equal(bed_tables(&bed), 2 + 512 + 2);
	close_bed();
}

/* An entry that is read is a visit, and so is a table that is freed (P7). */
static void release_keeps_its_budget(void **state)
{
	(void)state;
	/* Two detached level-2 tables with a table each; then full ones, of two sizes. */
	for (unsigned i = 0; i < 3; i++) {
		uint64_t size = i ? GIB : PAGE, tables = i ? 2 * 513 : 4, freed = 0;
		struct s2_limbo limbo = { 0 };
		struct s2_op op = { .limbo = &limbo };
		unsigned steps = 0;
		int ret;

		open_bed(S2_FEAT_FWB);
		bed_map(&bed, GIB, 4 * GIB, size, RW, S2_MAP_PAGES);
		bed_map(&bed, 2 * GIB, 8 * GIB, size, RW, S2_MAP_PAGES);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * GIB, 0, &op), 0);
		assert_int_equal(bed_tables(&bed), tables);
		assert_int_equal(limbo.tables, 2);
		op.max_entries = S2_BUDGET_ENTRIES_MIN + (i == 2);
		do {
			count.loads = count.freed = 0;
			ret = s2_release(&bed.s2, &limbo, &op);
			assert_int_equal(op.visited, count.loads + count.freed);
			assert_true(op.visited <= op.max_entries);
			/* No step of it is short but the last. */
			assert_true(ret != S2_MORE || op.visited + 2 > op.max_entries);
			freed += count.freed;
			steps++;
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_int_equal(freed, tables);
		assert_in_range(steps, i ? 4 : 2, i ? 5 : 3);
		assert_int_equal(limbo.head | limbo.idx | limbo.tables, 0);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/* Tables without a table below them: nothing of them is read, and each is a visit. */
static void a_list_of_many_tables_is_bounded(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	unsigned steps = 0;
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	/* A page stays, and so do the tables above. */
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	bed_map(&bed, 2 * GIB, 8 * GIB, GIB, RW, S2_MAP_PAGES);
	assert_int_equal(
		s2_unmap(&bed.s2, s2_ipa(GIB + 2 * MIB), 2 * GIB - 4 * MIB, 0, &op), 0);
	assert_int_equal(limbo.tables, 1022);
	op.max_entries = S2_BUDGET_ENTRIES_MIN;
	count.loads = 0;
	do {
		count.freed = 0;
		ret = s2_release(&bed.s2, &limbo, &op);
		assert_int_equal(op.visited, count.freed);
		assert_true(op.visited <= op.max_entries);
		steps++;
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(count.loads, 0);
	assert_int_equal(steps, 2);
	assert_int_equal(bed_tables(&bed), 4);
	close_bed();
}

static void cleaned_is_what_was_cleaned(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN,
			    .max_bytes = S2_BUDGET_BYTES_MIN };
	int ret;

	(void)state;
	open_bed(0);
#define STEP(call)                                                        \
	do {                                                              \
		bed_cost(&bed);                                           \
		ret = (call);                                             \
		assert_int_equal(bed_cost(&bed).clean_bytes, op.cleaned); \
		assert_true(op.cleaned <= op.max_bytes);                  \
	} while (ret == S2_MORE);                                         \
	assert_int_equal(ret, 0)
	/* A window of blocks takes more bytes than a step has, one of pages less. */
	STEP(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 8 * MIB, RW, 0, &op));
	STEP(s2_map(&bed.s2, s2_ipa(2 * GIB), s2_pa(8 * GIB), 8 * MIB, RW, S2_MAP_PAGES,
		    &op));
	STEP(s2_clean(&bed.s2, s2_ipa(2 * GIB), 8 * MIB, 0, &op));
	STEP(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * GIB, 0, &op));
	close_bed();
}

/* A budget of bytes may be any number: what it leaves of a page is left alone. */
static void a_step_cleans_whole_pages(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN + 100 };
	int ret;

	(void)state;
	open_bed(0);
	do
		ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), GIB, RW, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	do
		ret = s2_clean(&bed.s2, s2_ipa(GIB), GIB, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(count.whole_pages);
	assert_int_equal(bed_cost(&bed).clean_bytes, 3 * GIB);
	close_bed();
}

/* The first of two steps has made a block; the op is used again after the error. */
static void a_refused_map_leaves_nothing_in_its_op(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	int ret;

	(void)state;
	open_bed(0);
	ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 4 * MIB, RW, 0, &op);
	assert_int_equal(ret, S2_MORE);
	/* What it has made stays; what is in the way of the next step stays too. */
	assert_true(op.done.ipa == GIB + 2 * MIB);
	bed_map(&bed, GIB + 2 * MIB, 8 * GIB, PAGE, RW, 0);
	ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), 4 * MIB, RW, 0, &op);
	assert_int_equal(ret, S2_E_EXIST);
	assert_true(op.done.ipa == GIB + 2 * MIB);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_true(bed_lookup(&bed, GIB + 2 * MIB).pa.pa == 8 * GIB);
	bed_cost(&bed);
	do
		ret = s2_map(&bed.s2, s2_ipa(2 * GIB), s2_pa(16 * GIB), 4 * MIB, RW, 0,
			     &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 4 * MIB);
	close_bed();
}

static void a_clean_is_told_the_type(void **state)
{
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW | S2_MEM_NC, 0);
	assert_int_equal(bed.port.clean_attr & S2_MEM_MASK, S2_MEM_NC);
	bed.port.clean_attr = 0;
	assert_int_equal(s2_clean(s2, s2_ipa(GIB), PAGE, 0, NULL), 0);
	assert_int_equal(bed.port.clean_attr & S2_MEM_MASK, S2_MEM_NC);
	bed.port.clean_attr = 0;
	bed_unmap(&bed, GIB, PAGE, 0);
	assert_int_equal(bed.port.clean_attr & S2_MEM_MASK, S2_MEM_NC);
	close_bed();
}

/* ---- a map of what is there, in steps ---------------- */

/* To its end by steps of the least budget, of which there are not too many. */
static void map_in_steps(uint64_t size, s2_attr_t attr, uint32_t flags)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	int ret, steps = 0;

	do {
		ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), size, attr, flags,
			     &op);
		assert_true(op.visited <= op.max_entries);
		assert_in_range(++steps, 1, 100);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
}

/* A loop over a table's leaves leaves enough of the budget to change them. */
static void a_map_again_in_steps_comes_to_an_end(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 4 * MIB, RW, S2_MAP_PAGES);
	map_in_steps(4 * MIB, RW | S2_SW(1), 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, RW | S2_SW(1));
	assert_int_equal(bed_lookup(&bed, GIB + 4 * MIB - PAGE).attr, RW | S2_SW(1));
	close_bed();
}

/* The step ends in the table before it has seen that something is in it. */
static void a_map_in_steps_keeps_a_table_in_its_way(void **state)
{
	(void)state;
	open_bed(0);
	assert_int_equal(
		s2_annotate(&bed.s2, s2_ipa(GIB + 4 * MIB - PAGE), PAGE, 3, 0, NULL), 0);
	map_in_steps(4 * MIB, RW, 0);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * MIB).level, 3);
	assert_int_equal(bed_lookup(&bed, GIB + 4 * MIB - PAGE).level, 3);
	bed_check(&bed);
	close_bed();
}

/* What a step changes as a whole it makes visible to instruction fetch as a whole. */
static void a_block_that_becomes_executable_is_whole(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, S2_R, 0);
	bed_cost(&bed);
	map_in_steps(2 * MIB, S2_R | S2_X, S2_MAP_PAGES);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_int_equal(bed_cost(&bed).exec_bytes, 2 * MIB);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_counts_entries_and_detached_tables),
		cmocka_unit_test(later_phases_begin_where_the_first_did),
		cmocka_unit_test(each_phase_walks_to_a_page_once),
		cmocka_unit_test(pages_without_a_clean_are_visited_twice),
		cmocka_unit_test(no_clean_no_dsb_sy),
		cmocka_unit_test(done_moves_with_the_steps),
		cmocka_unit_test(a_split_in_steps_leaves_no_block),
		cmocka_unit_test(release_keeps_its_budget),
		cmocka_unit_test(a_list_of_many_tables_is_bounded),
		cmocka_unit_test(cleaned_is_what_was_cleaned),
		cmocka_unit_test(a_step_cleans_whole_pages),
		cmocka_unit_test(a_refused_map_leaves_nothing_in_its_op),
		cmocka_unit_test(a_clean_is_told_the_type),
		cmocka_unit_test(a_map_again_in_steps_comes_to_an_end),
		cmocka_unit_test(a_map_in_steps_keeps_a_table_in_its_way),
		cmocka_unit_test(a_block_that_becomes_executable_is_whole),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
