/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Batches: what is pending, when it is flushed, who else may touch it. */
#include "bed.h"

static struct bed bed;
static struct s2_batch batch;
static struct s2_op in; /* an op that belongs to the batch */

static void open_bed(uint32_t features)
{
	bed_open(&bed, 40, features, 64);
	bed_map(&bed, GIB, 4 * GIB, 16 * MIB, RW, S2_MAP_PAGES);
	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	in = (struct s2_op){ .batch = &batch };
	bed_cost(&bed);
}

static void close_bed(void)
{
	in.batch = NULL;
	if (bed.s2.batch)
		assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	bed_check(&bed);
	bed_close(&bed);
}

static int unmap(uint64_t page, struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(GIB + page * PAGE), PAGE, 0, op);
}

static enum s2_state state_at(uint64_t page)
{
	return bed_lookup(&bed, GIB + page * PAGE).state;
}

static void many_unmaps_pay_for_one_invalidation(void **state)
{
	struct cost c;

	(void)state;
	for (unsigned fwb = 0; fwb < 2; fwb++) {
		open_bed(fwb ? S2_FEAT_FWB : 0);
		for (unsigned i = 0; i < 40; i++) {
			assert_int_equal(unmap(3 * i, &in), 0);
			assert_int_equal(state_at(3 * i), S2_BUSY);
		}
		c = bed_cost(&bed);
		assert_int_equal(c.tlbi | c.dsb | c.clean_bytes | c.agents, 0);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		c = bed_cost(&bed);
		/* 40 places: the whole VMID; one DSB for all cleans. */
		assert_int_equal(c.tlbi, 1);
		assert_int_equal(c.dsb, fwb ? 2 : 3);
		assert_int_equal(c.clean_bytes, fwb ? 0 : 40 * PAGE);
		assert_int_equal(c.agents, 1);
		for (unsigned i = 0; i < 40; i++)
			assert_int_equal(state_at(3 * i), S2_EMPTY);
		/* Nothing pending: nothing to pay. */
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		close_bed();
	}
}

static void few_places_go_by_address(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	for (unsigned i = 0; i < S2_PLAN_OPS; i++)
		assert_int_equal(unmap(500 * i, &in), 0);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(bed_cost(&bed).tlbi, S2_PLAN_OPS + 1);
	assert_int_equal(bed.s2.tlbis[S2_TLBI_VMALLS12E1IS], 0);
	close_bed();
}

/* P2: nothing is given back before the invalidation. */
static void tables_are_released_by_the_flush(void **state)
{
	uint64_t tables;

	(void)state;
	open_bed(S2_FEAT_FWB);
	tables = bed_tables(&bed);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 4 * MIB, 0, &in), 0);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(unmap(1024 + i, &in), 0);
	assert_int_equal(bed_tables(&bed), tables);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(bed_tables(&bed), tables - 3);
	close_bed();
}

static void one_range_too_many_flushes(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	for (unsigned i = 0; i < S2_BATCH_RANGES; i++)
		assert_int_equal(unmap(2 * i, &in), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(unmap(2 * S2_BATCH_RANGES, &in), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 1);
	assert_int_equal(state_at(0), S2_EMPTY);
	assert_int_equal(state_at(2 * S2_BATCH_RANGES), S2_BUSY);
	/* Neighbours in order are one range. */
	for (unsigned i = 0; i < 4 * S2_BATCH_RANGES; i++)
		assert_int_equal(unmap(1024 + i, &in), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	close_bed();
}

static void others_invalidate_what_they_meet(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	assert_int_equal(unmap(0, &in), 0);
	assert_int_equal(unmap(1, &in), 0);
	assert_int_equal(unmap(2, &in), 0);
	/* P8: "nothing there" is not "nobody can still use it". */
	assert_int_equal(unmap(0, NULL), 0);
	assert_true(bed_cost(&bed).tlbi > 0);
	assert_int_equal(state_at(0), S2_EMPTY);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + PAGE), s2_pa(8 * GIB), PAGE, RW, 0,
				NULL),
			 S2_E_BUSY);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + PAGE), s2_pa(8 * GIB), PAGE, RW,
				S2_MAP_REPLACE, NULL),
			 0);
	assert_true(bed_cost(&bed).tlbi > 0);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(state_at(1), S2_LEAF);
	assert_int_equal(state_at(2), S2_EMPTY);
	/* A protection that waits for the batch, asked for outside of it. */
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + MIB), PAGE, 0, &in), 0);
	assert_int_equal(bed_cost(&bed).tlbi > 0, true);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + MIB), PAGE, 0, NULL), 0);
	assert_true(bed_cost(&bed).tlbi > 0);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + 2 * MIB), PAGE, 0, NULL), 0);
	bed_cost(&bed);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + 2 * MIB), PAGE, 0, NULL), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	close_bed();
}

static void a_split_is_linked_by_the_flush(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, 2 * GIB, 8 * GIB, 64 * MIB, RW, 0);
	bed_cost(&bed);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(s2_split(&bed.s2, s2_ipa(2 * GIB + i * 8 * MIB), 2 * MIB,
					  0, &in),
				 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(bed_lookup(&bed, 2 * GIB).state, S2_BUSY);
	/* It will be valid again: nobody may take it. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(2 * GIB), PAGE, 0, NULL), S2_E_BATCH);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(2 * GIB), PAGE, 0, NULL),
			 S2_E_BATCH);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(2 * GIB), S2_W, 0), S2_E_BUSY);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(bed_lookup(&bed, 2 * GIB + i * 8 * MIB).level, 3);
	assert_int_equal(bed_lookup(&bed, 2 * GIB + 2 * MIB).level, 2);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(2 * GIB), PAGE, 0, NULL), 0);
	close_bed();
}

static void a_flush_takes_a_budget(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN,
			    .max_entries = S2_BUDGET_ENTRIES_MIN };
	unsigned steps = 0;
	int ret;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, &in), 0);
	do {
		ret = s2_batch_flush(&bed.s2, &batch, &op);
		assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
		assert_true(op.cleaned <= S2_BUDGET_BYTES_MIN);
		steps++;
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(steps >= 4);
	assert_int_equal(bed_cost(&bed).clean_bytes, 8 * MIB);
	close_bed();
}

static void what_does_not_belong_is_refused(void **state)
{
	struct s2_batch other;
	struct s2_limbo limbo = { 0 };
	struct s2_op shared = { .limbo = &limbo }, stray = { .batch = &other },
		     op = { 0 };
	bool young = false;

	(void)state;
	open_bed(S2_FEAT_FWB);
	assert_int_equal(s2_batch_begin(&bed.s2, &other), S2_E_BATCH);
	assert_int_equal(s2_batch_flush(&bed.s2, &other, NULL), S2_E_BATCH);
	assert_int_equal(s2_batch_end(&bed.s2, &other, NULL), S2_E_BATCH);
	assert_int_equal(unmap(0, &stray), S2_E_BATCH);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(8 * GIB), s2_pa(0), PAGE, RW, 0, &in),
			 S2_E_BATCH);
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, &in), S2_E_BATCH);
	assert_int_equal(s2_clean(&bed.s2, s2_ipa(GIB), PAGE, 0, &in), S2_E_BATCH);
	assert_int_equal(s2_destroy(&bed.s2, 0, &op), S2_E_BATCH);
	/* No shared call while it is open. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), PAGE, S2_SHARED, &shared),
			 S2_E_BATCH);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), PAGE, S2_SHARED, NULL),
			 S2_E_BATCH);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB), S2_SHARED), S2_E_BATCH);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), S2_W, S2_SHARED),
			 S2_E_BATCH);
	op.max_entries = 1;
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, &op), S2_E_BUDGET);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, S2_CLEAR, &young, &in), 0);
	assert_true(young);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	assert_int_equal(unmap(0, &in), S2_E_BATCH);
	close_bed();
}

/* What is being split is there all the time: its table does not go with another page. */
static void a_table_stays_for_a_split(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, 3 * GIB, 8 * GIB, PAGE, RW, 0);
	bed_map(&bed, 3 * GIB + 8 * MIB, 9 * GIB, 2 * MIB, RW, 0);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(3 * GIB + 8 * MIB), 2 * MIB, 0, &in),
			 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(3 * GIB), PAGE, 0, NULL), 0);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(bed_lookup(&bed, 3 * GIB + 8 * MIB).level, 3);
	assert_int_equal(bed_lookup(&bed, 3 * GIB + 8 * MIB).state, S2_LEAF);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_unmaps_pay_for_one_invalidation),
		cmocka_unit_test(few_places_go_by_address),
		cmocka_unit_test(tables_are_released_by_the_flush),
		cmocka_unit_test(one_range_too_many_flushes),
		cmocka_unit_test(others_invalidate_what_they_meet),
		cmocka_unit_test(a_split_is_linked_by_the_flush),
		cmocka_unit_test(a_table_stays_for_a_split),
		cmocka_unit_test(a_flush_takes_a_budget),
		cmocka_unit_test(what_does_not_belong_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
