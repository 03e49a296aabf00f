/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Owners' annotations: values in entries that map nothing. */
#include "watched.h"
#include "desc.h"

#define MOST ((UINT64_C(1) << S2_NOTE_BITS) - 1)

static void note(uint64_t ipa, uint64_t size, uint64_t value)
{
	watch_call(&watcher);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(ipa), size, value, 0, NULL), 0);
	watch_return(&watcher);
	bed_check(&bed);
}

/* Every page of the range is annotated with the value; 0: is not, and maps nothing. */
static void is_noted(uint64_t ipa, uint64_t size, uint64_t value)
{
	for (uint64_t p = ipa; p < ipa + size; p += PAGE) {
		struct s2_mapping m = bed_lookup(&bed, p);

		assert_int_equal(m.state, value ? S2_NOTE : S2_EMPTY);
		assert_true(m.note == value);
	}
}

static void a_value_is_kept_in_the_largest_entries(void **state)
{
	static const uint64_t values[] = { 1, 0x80000000, MOST };

	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < 3; i++) {
		bed_cost(&bed);
		note(GIB, 2 * GIB, values[i]);
		assert_int_equal(bed_tables(&bed), 0);
		assert_int_equal(bed_lookup(&bed, 2 * GIB).size, GIB);
		is_noted(GIB, 4 * PAGE, values[i]);
		is_noted(3 * GIB - PAGE, PAGE, values[i]);
		is_noted(3 * GIB, PAGE, 0);
		is_noted(GIB - PAGE, PAGE, 0);
		assert_int_equal(bed_cost(&bed).tlbi, 0);
	}
	/* Whatever the value, it is neither valid nor busy for anybody. */
	assert_false(bed_lookup(&bed, GIB).desc & (DESC_VALID | DESC_BUSY));
	note(GIB, 2 * GIB, 0);
	is_noted(GIB, PAGE, 0);
	close_bed();
}

/* In the middle of a larger one, which keeps its value around it. */
static void part_of_a_larger_one_is_split_off(void **state)
{
	(void)state;
	open_bed(0);
	note(GIB, GIB, 7);
	note(GIB + 4 * MIB + PAGE, 2 * PAGE, 9);
	assert_int_equal(bed_tables(&bed), 2);
	is_noted(GIB + 4 * MIB, PAGE, 7);
	is_noted(GIB + 4 * MIB + PAGE, 2 * PAGE, 9);
	is_noted(GIB + 4 * MIB + 3 * PAGE, 509 * PAGE, 7);
	is_noted(2 * GIB - PAGE, PAGE, 7);
	/* The same by clearing a part, and by mapping one. */
	note(GIB + 8 * MIB, PAGE, 0);
	is_noted(GIB + 8 * MIB, PAGE, 0);
	is_noted(GIB + 8 * MIB + PAGE, 511 * PAGE, 7);
	bed_map(&bed, GIB + 16 * MIB + PAGE, 4 * GIB, PAGE, RW, 0);
	assert_int_equal(bed_lookup(&bed, GIB + 16 * MIB + PAGE).state, S2_LEAF);
	is_noted(GIB + 16 * MIB, PAGE, 7);
	is_noted(GIB + 16 * MIB + 2 * PAGE, 510 * PAGE, 7);
	bed_check(&bed);
	close_bed();
}

/* A table that holds nothing else goes with its last one, invalidated and released. */
static void the_last_one_frees_the_table(void **state)
{
	(void)state;
	open_bed(0);
	note(GIB, PAGE, 1);
	note(GIB + 5 * PAGE, PAGE, 2);
	assert_int_equal(bed_tables(&bed), 2);
	note(GIB, PAGE, 0);
	assert_int_equal(bed_tables(&bed), 2);
	bed_cost(&bed);
	note(GIB, MIB, 0);
	assert_int_equal(bed_tables(&bed), 0);
	assert_int_equal(bed_cost(&bed).agents, 1);
	/* Nothing to clear costs nothing. */
	note(GIB, GIB, 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	close_bed();
}

static void what_is_mapped_is_refused_or_left_alone(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB + PAGE, 4 * GIB, PAGE, RW, 0);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(GIB), 4 * PAGE, 3, 0, NULL),
			 S2_E_EXIST);
	is_noted(GIB, PAGE, 0);
	note(GIB, PAGE, 3);
	note(GIB + 2 * PAGE, PAGE, 4);
	note(GIB, MIB, 0);
	assert_int_equal(bed_lookup(&bed, GIB + PAGE).state, S2_LEAF);
	is_noted(GIB, PAGE, 0);
	is_noted(GIB + 2 * PAGE, PAGE, 0);
	close_bed();
}

static void a_map_takes_their_place(void **state)
{
	(void)state;
	open_bed(0);
	note(GIB, 4 * PAGE, 3);
	bed_map(&bed, GIB, 4 * GIB, 2 * PAGE, RW, 0);
	is_noted(GIB + 2 * PAGE, 2 * PAGE, 3);
	bed_check(&bed);
	/* A block in the place of a table is for who says so. */
	bed_unmap(&bed, GIB, 2 * PAGE, S2_KEEP_NOTES);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, 0);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * PAGE).level, 3);
	bed_check(&bed);
	watch_call(&watcher);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_REPLACE);
	watch_return(&watcher);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	assert_int_equal(bed_tables(&bed), 1);
	close_bed();
}

/* ---- unmap ---------------- */

static void an_unmap_drops_them_unless_told(void **state)
{
	for (uint32_t flags = 0; flags <= S2_KEEP_NOTES; flags += S2_KEEP_NOTES) {
		uint64_t kept = flags ? 5 : 0;

		(void)state;
		open_bed(S2_FEAT_FWB);
		bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
		bed_unmap(&bed, GIB + 7 * PAGE, PAGE, 0);
		note(GIB + 7 * PAGE, PAGE, 5);
		bed_map(&bed, GIB + 2 * MIB, 8 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
		note(GIB + 6 * MIB, 2 * MIB, 5);
		watch_call(&watcher);
		bed_unmap(&bed, GIB, GIB, flags);
		watch_return(&watcher);
		is_noted(GIB, 7 * PAGE, 0);
		is_noted(GIB + 7 * PAGE, PAGE, kept);
		is_noted(GIB + 8 * PAGE, 504 * PAGE, 0);
		is_noted(GIB + 6 * MIB, 2 * MIB, kept);
		/* Only the tables that hold some are left. */
		assert_int_equal(bed_tables(&bed), kept ? 2 : 0);
		bed_check(&bed);
		if (kept) {
			/* And stay when nothing is mapped: at no cost. */
			bed_cost(&bed);
			bed_unmap(&bed, GIB, GIB, flags);
			assert_int_equal(bed_cost(&bed).tlbi, 0);
			is_noted(GIB + 7 * PAGE, PAGE, 5);
			bed_unmap(&bed, GIB, GIB, 0);
			assert_int_equal(bed_tables(&bed), 0);
		}
		close_bed();
	}
}

/* Tables without any are detached unread, as ever (P6). */
static void keeping_reads_only_where_they_are(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 16 * MIB, RW, S2_MAP_PAGES);
	note(GIB + 32 * MIB, PAGE, 5);
	watch_forbid(&bed, &watcher, GIB, 16 * MIB);
	bed_unmap(&bed, GIB, GIB, S2_KEEP_NOTES);
	free(watcher.forbidden);
	watcher.forbidden = NULL;
	is_noted(GIB + 32 * MIB, PAGE, 5);
	assert_int_equal(bed_tables(&bed), 2);
	close_bed();
}

/* P6: also behind a table that goes with its last annotation. */
static void clearing_reads_only_where_they_are(void **state)
{
	(void)state;
	open_bed(0);
	note(GIB, PAGE, 7);
	bed_map(&bed, GIB + 2 * MIB, 4 * GIB, 8 * MIB, RW, S2_MAP_PAGES);
	watch_forbid(&bed, &watcher, GIB + 2 * MIB, 8 * MIB);
	note(GIB, 16 * MIB, 0);
	assert_int_equal(bed_tables(&bed), 1 + 4);
	watch_stop(&bed);
	close_bed();
}

static void one_partly_outside_stays(void **state)
{
	(void)state;
	open_bed(0);
	note(GIB, 2 * MIB, 6);
	bed_unmap(&bed, GIB + PAGE, 4 * MIB, 0);
	is_noted(GIB, 2 * MIB, 6);
	close_bed();
}

/* Shared calls meet them: a map beside others, unmaps of a part and of all. */
/* Tables full of one value are tidied; what is not of one value, or not whole, stays. */
static void equal_ones_collapse(void **state)
{
	struct s2_op op = { .max_entries = 2 * ENTRIES };
	struct s2_limbo limbo = { 0 };
	struct s2_op shared = { .limbo = &limbo };
	struct cost c;
	int ret;

	(void)state;
	for (unsigned steps = 0; steps < 2; steps++) {
		open_bed(0);
		/* From a hole in the middle: two tables. */
		note(GIB, GIB, 7);
		note(GIB + 4 * MIB + PAGE, PAGE, 9);
		assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), GIB, 0, NULL), 0);
		assert_int_equal(bed_tables(&bed), 2);
		note(GIB + 4 * MIB + PAGE, PAGE, 7);
		/* Not from less than all of a table. */
		assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB + 4 * MIB),
					     2 * MIB - PAGE, 0, NULL),
				 0);
		assert_int_equal(bed_tables(&bed), 2);
		/* Owners are changed by exclusive calls. */
		assert_int_equal(
			s2_collapse(&bed.s2, s2_ipa(GIB), GIB, S2_SHARED, &shared), 0);
		assert_int_equal(bed_tables(&bed), 2);
		bed_cost(&bed);
		watch_call(&watcher);
		if (!steps)
			assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), GIB, 0, NULL),
					 0);
		watch_return(&watcher);
		while (steps && (ret = s2_collapse(&bed.s2, s2_ipa(GIB), GIB, 0, &op)))
			assert_int_equal(ret, S2_MORE);
		/* An invalidation for each level: the table is in walk caches. */
		c = bed_cost(&bed);
		assert_int_equal(c.tlbi, 2);
		assert_int_equal(c.dsb, 4);
		assert_int_equal(c.clean_bytes, 0);
		bed_check(&bed);
		assert_int_equal(bed_tables(&bed), 0);
		is_noted(GIB, 4 * PAGE, 7);
		is_noted(GIB + 4 * MIB, 4 * PAGE, 7);
		is_noted(2 * GIB - PAGE, PAGE, 7);
		is_noted(2 * GIB, PAGE, 0);
		assert_int_equal(bed_lookup(&bed, GIB).size, GIB);
		/* And it is one that can be opened again. */
		note(GIB + PAGE, PAGE, 0);
		assert_int_equal(bed_tables(&bed), 2);
		note(GIB, GIB, 0);
		assert_int_equal(bed_tables(&bed), 0);
		/* Leaves beside them become blocks as ever. */
		bed_map(&bed, 4 * GIB, 8 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
		note(4 * GIB + 2 * MIB, 2 * MIB, 3);
		note(4 * GIB + 2 * MIB, PAGE, 4);
		note(4 * GIB + 2 * MIB, PAGE, 3);
		assert_int_equal(s2_collapse(&bed.s2, s2_ipa(4 * GIB), 4 * MIB, 0, NULL),
				 0);
		assert_int_equal(bed_tables(&bed), 1);
		assert_int_equal(bed_lookup(&bed, 4 * GIB).level, 2);
		assert_int_equal(bed_lookup(&bed, 4 * GIB + 2 * MIB).level, 2);
		is_noted(4 * GIB + 2 * MIB, 2 * PAGE, 3);
		assert_true(bed_lookup(&bed, 4 * GIB).pa.pa == 8 * GIB);
		bed_check(&bed);
		close_bed();
	}
}

static void shared_calls_count_them(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	note(GIB, 2 * MIB, 6);
	note(GIB + 2 * MIB, 2 * PAGE, 8);
	assert_int_equal(s2_map(s2, s2_ipa(GIB + PAGE), s2_pa(4 * GIB), 2 * PAGE, RW,
				S2_SHARED, &op),
			 0);
	is_noted(GIB, PAGE, 6);
	is_noted(GIB + 3 * PAGE, 509 * PAGE, 6);
	bed_check(&bed);
	/* To keep them tables are taken apart, which shared calls do not do. */
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB), GIB, S2_SHARED | S2_KEEP_NOTES, &op),
			 S2_E_FLAGS);
	assert_int_equal(bed_lookup(&bed, GIB + PAGE).state, S2_LEAF);
	/* Those of the range go; one beside it keeps the table. */
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB + PAGE), 3 * PAGE, S2_SHARED, &op), 0);
	is_noted(GIB, PAGE, 6);
	is_noted(GIB + PAGE, 3 * PAGE, 0);
	is_noted(GIB + 4 * PAGE, 508 * PAGE, 6);
	is_noted(GIB + 2 * MIB, 2 * PAGE, 8);
	bed_check(&bed);
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB), 2 * MIB + 2 * PAGE, S2_SHARED, &op),
			 0);
	assert_int_equal(s2_release(s2, &limbo, NULL), 0);
	is_noted(GIB, 4 * MIB, 0);
	assert_int_equal(bed_tables(&bed), 0);
	close_bed();
}

/* ---- looking, budgets, bad input ---------------- */

static void the_dump_shows_them(void **state)
{
	char line[S2_DUMP_LINE];
	struct s2_iter it;

	(void)state;
	open_bed(0);
	note(GIB, 3 * PAGE, 0x2a);
	bed_map(&bed, GIB + 3 * PAGE, 4 * GIB, PAGE, RW, 0);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), 2 * GIB), 0);
	assert_true(s2_dump_next(&it, line, sizeof(line)));
	assert_string_equal(line, "0x40000000-0x40003000 note 0x2a L3 x3");
	assert_true(s2_dump_next(&it, line, sizeof(line)));
	assert_non_null(strstr(line, "-> 0x100000000 L3 x1 rw-"));
	assert_false(s2_dump_next(&it, line, sizeof(line)));
	close_bed();
}

static void budgets_are_kept(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	unsigned steps = 0;
	int ret;

	(void)state;
	open_bed(0);
	/* Tables in the way, so that the values are on pages. */
	for (unsigned i = 0; i < 4; i++)
		note(GIB + i * 2 * MIB, PAGE, 1);
	for (uint64_t value = 5; value != UINT64_MAX; value = value ? 0 : UINT64_MAX) {
		do {
			watch_call(&watcher);
			ret = s2_annotate(&bed.s2, s2_ipa(GIB + PAGE), 8 * MIB, value, 0,
					  &op);
			watch_return(&watcher);
			assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
			assert_true(++steps < 100);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		bed_check(&bed);
		is_noted(GIB + PAGE, 4 * PAGE, value);
		is_noted(GIB + 8 * MIB, PAGE, value);
	}
	assert_true(steps > 8);
	close_bed();
}

static void a_failed_allocation_changes_nothing(void **state)
{
	int ret = S2_E_NOMEM;

	(void)state;
	for (long n = 0; ret == S2_E_NOMEM; n++) {
		open_bed(0);
		note(GIB, GIB, 7);
		bed.port.fail_after = n;
		ret = s2_annotate(&bed.s2, s2_ipa(GIB + PAGE), 4 * MIB, 9, 0, NULL);
		bed.port.fail_after = -1;
		if (ret) {
			assert_int_equal(bed_tables(&bed), 0);
			assert_int_equal(bed_lookup(&bed, GIB).size, GIB);
		}
		bed.port.fail_after = n;
		ret = s2_annotate(&bed.s2, s2_ipa(GIB + PAGE), 4 * MIB, 0, 0, NULL);
		bed.port.fail_after = -1;
		if (n == 0) {
			assert_int_equal(ret, S2_E_NOMEM);
			is_noted(GIB, 4 * PAGE, 7);
		}
		bed_check(&bed);
		close_bed();
	}
	assert_int_equal(ret, 0);
}

/*
 * Between two steps of a clear somebody puts a larger one across its end, which has to be
 * split now, and there is no table. What the first step has detached is not lost.
 */
static void a_clear_that_fails_later_loses_no_table(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (unsigned first = 1; first < 8; first++) {
		struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
		unsigned steps = 0;
		int ret;

		open_bed(0);
		for (unsigned i = 0; i < 4; i++)
			note(GIB + i * 2 * MIB, PAGE, 1);
		note(GIB + PAGE, 8 * MIB - PAGE, 5);
		do {
			bed.port.fail_after = -1;
			if (steps == first) {
				note(GIB + 8 * MIB, 2 * MIB, 7);
				bed.port.fail_after = 0;
			}
			watch_call(&watcher);
			ret = s2_annotate(&bed.s2, s2_ipa(GIB), 8 * MIB + PAGE, 0, 0,
					  &op);
			watch_return(&watcher);
			assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
			steps++;
		} while (ret == S2_MORE);
		bed.port.fail_after = -1;
		failed += ret == S2_E_NOMEM;
		bed_check(&bed);
		close_bed();
	}
	assert_true(failed > 1);
}

static void bad_input_is_refused(void **state)
{
	struct s2_op op = { .max_entries = 511 };
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_annotate(s2, s2_ipa(1), PAGE, 1, 0, NULL), S2_E_ALIGN);
	assert_int_equal(s2_annotate(s2, s2_ipa(0), 0, 1, 0, NULL), S2_E_SIZE);
	assert_int_equal(s2_annotate(s2, s2_ipa(1024 * GIB), PAGE, 1, 0, NULL),
			 S2_E_IPA_RANGE);
	assert_int_equal(s2_annotate(s2, s2_ipa(0), PAGE, MOST + 1, 0, NULL), S2_E_ATTR);
	assert_int_equal(s2_annotate(s2, s2_ipa(0), PAGE, 1, S2_SHARED, NULL),
			 S2_E_FLAGS);
	assert_int_equal(s2_annotate(s2, s2_ipa(0), PAGE, 1, S2_SPLIT_EDGES, NULL),
			 S2_E_FLAGS);
	assert_int_equal(s2_annotate(s2, s2_ipa(0), PAGE, 1, 0, &op), S2_E_BUDGET);
	is_noted(0, PAGE, 0);
	assert_int_equal(bed_tables(&bed), 0);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_kept_in_the_largest_entries),
		cmocka_unit_test(part_of_a_larger_one_is_split_off),
		cmocka_unit_test(the_last_one_frees_the_table),
		cmocka_unit_test(what_is_mapped_is_refused_or_left_alone),
		cmocka_unit_test(a_map_takes_their_place),
		cmocka_unit_test(an_unmap_drops_them_unless_told),
		cmocka_unit_test(keeping_reads_only_where_they_are),
		cmocka_unit_test(clearing_reads_only_where_they_are),
		cmocka_unit_test(one_partly_outside_stays),
		cmocka_unit_test(equal_ones_collapse),
		cmocka_unit_test(shared_calls_count_them),
		cmocka_unit_test(the_dump_shows_them),
		cmocka_unit_test(budgets_are_kept),
		cmocka_unit_test(a_failed_allocation_changes_nothing),
		cmocka_unit_test(a_clear_that_fails_later_loses_no_table),
		cmocka_unit_test(bad_input_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
