/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps where several modes meet: budgets, what is mapped already, annotations, blocks
 * across an edge.
 */
#include "watched.h"
#include "desc.h"

#define A GIB
#define BLOCK (2 * MIB)
#define PA0 (4 * GIB)
#define PA1 (8 * GIB)

static int map(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags,
	       struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags, op);
}

/* ---- where nothing is mapped ------------------------------------------------------ */

/* An annotation is nothing that is mapped, whatever the table that it is in. */
static void a_map_of_what_is_new_takes_annotations(void **state)
{
	(void)state;
	for (uint32_t shared = 0; shared < 2; shared++) {
		struct s2_limbo limbo = { 0 };
		struct s2_op op = { .limbo = shared ? &limbo : NULL };
		uint32_t flags = S2_MAP_NEW | (shared ? S2_SHARED : 0);

		open_bed(S2_FEAT_FWB);
		assert_int_equal(
			s2_annotate(&bed.s2, s2_ipa(A + 5 * PAGE), PAGE, 7, 0, NULL), 0);
		assert_int_equal(map(A, PA0, BLOCK, RW, flags, &op), 0);
		for (uint64_t at = 0; at < BLOCK; at += PAGE)
			assert_true(bed_lookup(&bed, A + at).state == S2_LEAF);
		/* What is mapped below is. */
		assert_int_equal(map(A, PA0, BLOCK, RW, flags, &op), S2_E_EXIST);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		close_bed();
	}
}

/* ---- beside a map in steps -------------------------------------------------------- */

/* A replacing map has emptied a table, and has not filled it yet. */
static void begin_replace(struct s2_op *op)
{
	bed_map(&bed, A, PA0, BLOCK, RW, S2_MAP_PAGES);
	*op = (struct s2_op){ .max_bytes = S2_BUDGET_BYTES_MIN };
	assert_int_equal(map(A, PA1, BLOCK, RW, S2_MAP_PAGES | S2_MAP_REPLACE, op),
			 S2_MORE);
	assert_int_equal(bed_lookup(&bed, A).state, S2_EMPTY);
	assert_int_equal(bed_lookup(&bed, A).level, 3);
}

static void end_replace(struct s2_op *op)
{
	int ret;

	while ((ret = map(A, PA1, BLOCK, RW, S2_MAP_PAGES | S2_MAP_REPLACE, op)) ==
	       S2_MORE)
		;
	assert_int_equal(ret, 0);
}

/* The empty table goes, and not one in which leaves stay. */
static void an_empty_table_in_the_way_takes_no_leaf_along(void **state)
{
	const uint64_t page = A + BLOCK + 3 * PAGE;
	struct s2_op op;

	(void)state;
	open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
	begin_replace(&op);
	bed_map(&bed, A + BLOCK, PA0 + BLOCK, BLOCK, S2_R | S2_DBM, S2_MAP_PAGES);
	/* The guest writes. */
	*bed_entry(&bed, page, 3) |= DESC_S2AP_W;
	bed_map(&bed, A, PA0, 2 * BLOCK, S2_R | S2_DBM, 0);
	assert_int_equal(bed_lookup(&bed, A).level, 2);
	assert_int_equal(bed_lookup(&bed, page).level, 3);
	assert_true(bed_lookup(&bed, page).attr & S2_W);
	end_replace(&op);
	close_bed();
}

/* A larger annotation that was put across the place where the last step ended. */
static void a_clear_in_steps_clears_what_is_left(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	uint64_t done;
	int ret;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(A + PAGE), BLOCK - PAGE, 7, 0, NULL),
			 0);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(A), 2 * BLOCK, 0, 0, &op), S2_MORE);
	done = op.done.ipa;
	assert_in_range(done, A + PAGE, A + BLOCK - PAGE);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(A), BLOCK, 9, S2_MAP_REPLACE, NULL),
			 0);
	assert_int_equal(bed_lookup(&bed, A).level, 2);
	while ((ret = s2_annotate(&bed.s2, s2_ipa(A), 2 * BLOCK, 0, 0, &op)) == S2_MORE)
		;
	assert_int_equal(ret, 0);
	assert_int_equal(bed_lookup(&bed, done - PAGE).note, 9);
	for (; done < A + 2 * BLOCK; done += PAGE)
		assert_int_equal(bed_lookup(&bed, done).state, S2_EMPTY);
	close_bed();
}

/* ---- budgets ---------------------------------------------------------------------- */

/* A budget of which an eighth, in leaves of 512 GiB, is more than 2^64 bytes. */
static void a_very_large_budget_is_none(void **state)
{
	struct s2_op op = { .max_entries = 1u << 28 };

	(void)state;
	bed_open(&bed, 48, 0, 64);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(0), UINT64_C(1) << 39, 7, 0, &op),
			 0);
	assert_int_equal(bed_lookup(&bed, 0).note, 7);
	bed_close(&bed);
}

/* A budget of bytes alone: each window has leaves of one size all the same. */
static void a_page_stays_where_a_step_ended_among_pages(void **state)
{
	const uint64_t dirty = 300 * PAGE, page = A + BLOCK + dirty + PAGE;
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB | S2_FEAT_HAFDBS | S2_FEAT_DBM);
	/*
	 * More than one step cleans, in the place of a block and then of pages; behind
	 * it pages that are what is asked for.
	 */
	bed_map(&bed, A + BLOCK / 2, PA1, BLOCK / 2 + dirty, RW | S2_MEM_NC,
		S2_MAP_PAGES);
	bed_map(&bed, A + BLOCK + dirty, PA0 + BLOCK + dirty, 6 * PAGE, S2_R | S2_DBM, 0);
	*bed_entry(&bed, page, 3) |= DESC_S2AP_W;
	while ((ret = map(A, PA0, BLOCK + dirty + 6 * PAGE, S2_R | S2_DBM, S2_MAP_REPLACE,
			  &op)) == S2_MORE)
		assert_int_equal(bed_lookup(&bed, page).state, S2_LEAF);
	assert_int_equal(ret, 0);
	/* What the guest has written is known. */
	assert_true(bed_lookup(&bed, page).attr & S2_W);
	close_bed();
}

/* What is said to be enough for a call is enough for each step. */
static void a_step_takes_no_more_tables_than_the_bound(void **state)
{
	static const uint32_t edges[] = { S2_SPLIT_EDGES, S2_DROP_EDGES };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t ipa = A + BLOCK - 100 * PAGE, size = 200 * PAGE;
		struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
		int ret;

		open_bed(S2_FEAT_FWB);
		bed_map(&bed, A, PA0, GIB, RW, 0);
		do {
			bed.port.fail_after =
				(int64_t)s2_tables_bound(&bed.s2, s2_ipa(ipa), size);
			ret = map(ipa, PA1 + PAGE, size, RW, S2_MAP_REPLACE | edges[i],
				  &op);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		bed.port.fail_after = -1;
		close_bed();
	}
}

/* A block inside the range that was protected between two steps crosses no edge. */
static void a_block_in_the_range_is_at_no_edge(void **state)
{
	const uint64_t before = 100 * PAGE, ipa = A - before, pa = PA0 - before,
		       size = BLOCK + before;
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, A, PA0, BLOCK, S2_R, 0);
	/* A step ends inside it. */
	assert_int_equal(map(ipa, pa, size, RW, S2_MAP_PAGES, &op), S2_MORE);
	assert_in_range(op.done.ipa, A + PAGE, A + BLOCK - PAGE);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(A), BLOCK, 0, NULL), 0);
	while ((ret = map(ipa, pa, size, RW, S2_MAP_PAGES, &op)) == S2_MORE)
		;
	assert_int_equal(ret, 0);
	close_bed();
}

/* ---- cost ------------------------------------------------------------------------- */

/* A block that stays and reaches beyond the range makes no barrier for each new page. */
static void a_block_that_stays_costs_no_barrier_for_each_page(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, A + BLOCK, PA0 + BLOCK, BLOCK, S2_R, 0);
	bed_cost(&bed);
	bed_map(&bed, A, PA0, BLOCK + PAGE, S2_R, S2_MAP_PAGES);
	assert_in_range(bed_cost(&bed).dsb, 0, 4);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_of_what_is_new_takes_annotations),
		cmocka_unit_test(an_empty_table_in_the_way_takes_no_leaf_along),
		cmocka_unit_test(a_clear_in_steps_clears_what_is_left),
		cmocka_unit_test(a_page_stays_where_a_step_ended_among_pages),
		cmocka_unit_test(a_step_takes_no_more_tables_than_the_bound),
		cmocka_unit_test(a_block_in_the_range_is_at_no_edge),
		cmocka_unit_test(a_block_that_stays_costs_no_barrier_for_each_page),
		cmocka_unit_test(a_very_large_budget_is_none),
	};

	return cmocka_run_group_tests_name("repro-modes", tests, NULL, NULL);
}
