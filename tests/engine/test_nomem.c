/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * No table page: at every allocation of every call that allocates. Nothing is
 * lost, nothing leaks, and whatever was mapped is mapped as it was; the same call
 * succeeds when there are pages.
 */
#include "bed.h"

static struct bed bed;

struct call {
	int (*run)(struct s2_op *op);
	unsigned least; /* table pages that it needs */
};

static int map_pages(struct s2_op *op)
{
	/* Around the end of a level-1 entry: tables at two levels, twice. */
	return s2_map(&bed.s2, s2_ipa(8 * GIB - 4 * MIB), s2_pa(GIB), 8 * MIB, RW,
		      S2_MAP_PAGES, op);
}

static int map_many_tables(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(8 * GIB), s2_pa(GIB), 16 * MIB, RW, S2_MAP_PAGES,
		      op);
}

static int map_blocks(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(8 * GIB - 3 * MIB), s2_pa(12 * GIB - 3 * MIB),
		      2 * GIB + 6 * MIB, RW, 0, op);
}

static int replace_a_block_by_pages(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(2 * MIB), s2_pa(3 * GIB), 4 * MIB, RW,
		      S2_MAP_REPLACE | S2_MAP_PAGES, op);
}

static int replace_a_part(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(2 * GIB + MIB), s2_pa(3 * GIB), PAGE, RW,
		      S2_MAP_REPLACE | S2_DROP_EDGES, op);
}

static int replace_a_part_and_split_the_edges(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(2 * MIB + PAGE), s2_pa(3 * GIB), 2 * MIB, RW,
		      S2_MAP_REPLACE | S2_SPLIT_EDGES, op);
}

/* What a shared call detaches is freed at once: nobody else is there. */
static int released(int ret, struct s2_op *op)
{
	assert_int_equal(s2_release(&bed.s2, op->limbo, NULL), 0);
	op->limbo = NULL;
	return ret;
}

static int map_pages_shared(struct s2_op *op)
{
	op->limbo = &(struct s2_limbo){ 0 };
	return released(s2_map(&bed.s2, s2_ipa(8 * GIB - 4 * MIB), s2_pa(GIB), 8 * MIB,
			       RW, S2_MAP_PAGES | S2_SHARED, op),
			op);
}

/* A shared replacing map takes a table of leaves at a time: the least range is one. */
static int replace_a_block_shared(struct s2_op *op)
{
	op->limbo = &(struct s2_limbo){ 0 };
	return released(s2_map(&bed.s2, s2_ipa(2 * MIB), s2_pa(3 * GIB), 2 * MIB, RW,
			       S2_MAP_REPLACE | S2_MAP_PAGES | S2_SHARED, op),
			op);
}

static int replace_and_split_shared(struct s2_op *op)
{
	op->limbo = &(struct s2_limbo){ 0 };
	return released(s2_map(&bed.s2, s2_ipa(2 * MIB + PAGE), s2_pa(3 * GIB), MIB, RW,
			       S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_SHARED, op),
			op);
}

static int unmap_inside_a_block_shared(struct s2_op *op)
{
	op->limbo = &(struct s2_limbo){ 0 };
	return released(s2_unmap(&bed.s2, s2_ipa(2 * MIB + PAGE), PAGE,
				 S2_SPLIT_EDGES | S2_SHARED, op),
			op);
}

static int split_blocks_shared(struct s2_op *op)
{
	return s2_split(&bed.s2, s2_ipa(2 * MIB), 4 * MIB, S2_SHARED, op);
}

static int unmap_inside_a_block(struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(2 * MIB + PAGE), PAGE, S2_SPLIT_EDGES, op);
}

static int unmap_from_block_to_block(struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(3 * MIB), 2 * GIB, S2_SPLIT_EDGES, op);
}

static int split_blocks(struct s2_op *op)
{
	return s2_split(&bed.s2, s2_ipa(2 * MIB), 4 * MIB, 0, op);
}

static int split_a_large_block(struct s2_op *op)
{
	return s2_split(&bed.s2, s2_ipa(2 * GIB + MIB), 4 * MIB, 0, op);
}

static int split_behind_a_hole(struct s2_op *op)
{
	return s2_split(&bed.s2, s2_ipa(GIB), GIB + 4 * MIB, 0, op);
}

/* Level-2 blocks in [2 MiB, 6 MiB), a level-1 block at 2 GiB. */
static void open_bed(struct flat *flat)
{
	bed_open(&bed, 40, 0, 32);
	flat_init(flat, &bed.s2);
	bed_map(&bed, 2 * MIB, GIB + 2 * MIB, 4 * MIB, RW | S2_MEM_NC, 0);
	flat_map(flat, 2 * MIB, GIB + 2 * MIB, 4 * MIB, RW | S2_MEM_NC, 0);
	bed_map(&bed, 2 * GIB, 16 * GIB, GIB, RW, 0);
	flat_map(flat, 2 * GIB, 16 * GIB, GIB, RW, 0);
}

static void with_the_cookie(struct count_port *port, enum count_event what, uint64_t at,
			    uint64_t value)
{
	(void)port;
	(void)at;
	if (what == COUNT_ALLOC)
		assert_true(value == (uint64_t)(uintptr_t)&bed);
}

static void fails_at_every_allocation(void **state)
{
	const struct call *call = *state;
	struct flat flat;
	unsigned before;
	bool done = false;

	open_bed(&flat);
	before = (unsigned)bed_tables(&bed);
	for (unsigned n = 0; !done; n++) {
		struct s2_op op = { .cookie = &bed };
		const char *what;
		int ret;

		bed_cost(&bed);
		assert_true(n <= call->least);
		bed.port.fail_after = (long)n;
		bed.port.record = with_the_cookie;
		ret = call->run(&op);
		bed.port.fail_after = -1;
		bed.port.record = NULL;
		done = !ret;
		if (done) {
			assert_int_equal(n, call->least);
			break;
		}
		assert_int_equal(ret, S2_E_NOMEM);
		assert_int_equal(bed_tables(&bed), before);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		bed_check(&bed);
		what = flat_compare(&flat, &bed.s2);
		if (what)
			fail_msg("allocation %u failed: %s", n, what);
		/* The op is free again. */
		assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(9 * GIB), PAGE, 0, &op), 0);
	}
	bed_check(&bed);
	bed_close(&bed);
	flat_free(&flat);
}

/* Pages that run out between steps: what was reported stays, nothing else. */
static void a_later_step_may_fail(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	uint64_t start = 8 * GIB, done;
	int ret;

	(void)state;
	bed_open(&bed, 40, S2_FEAT_FWB, 5);
	do
		ret = s2_map(&bed.s2, s2_ipa(start), s2_pa(0), 16 * MIB, RW, S2_MAP_PAGES,
			     &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, S2_E_NOMEM);
	bed_check(&bed);
	/* Five tables: one at level 2, four of pages. */
	done = op.done.ipa;
	assert_in_range(done, start + 8 * MIB - 64 * PAGE, start + 8 * MIB);
	assert_int_equal(bed_lookup(&bed, done - PAGE).state, S2_LEAF);
	assert_int_equal(bed_lookup(&bed, done).state, S2_EMPTY);
	bed_close(&bed);
}

/* One at level 1, four at level 2 and not one more. */
static void a_map_below_level_0_takes_no_spare(void **state)
{
	(void)state;
	bed_open(&bed, 48, S2_FEAT_FWB, 5);
	bed_map(&bed, 0, 2 * MIB, 4 * GIB, RW, 0);
	assert_int_equal(bed_tables(&bed), 5);
	bed_close(&bed);
}

/*
 * Each step takes its own tables, before it changes anything: when there are none, what
 * lies below op->done is new, and nothing is lost, broken or empty behind it.
 */
static void a_step_of_a_replacing_map_may_fail(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (unsigned first = 1; first < 8; first++) {
		struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
		uint64_t done;
		unsigned steps = 0;
		int ret;

		bed_open(&bed, 40, 0, 32);
		bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW, 0);
		do {
			bed.port.fail_after = steps >= first ? 0 : -1;
			ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 8 * MIB, RW,
				     S2_MAP_REPLACE | S2_MAP_PAGES, &op);
			steps++;
		} while (ret == S2_MORE);
		bed.port.fail_after = -1;
		assert_true(ret == 0 || ret == S2_E_NOMEM);
		failed += ret == S2_E_NOMEM;
		bed_check(&bed);
		done = op.done.ipa;
		assert_int_equal(ret == 0, done == GIB + 8 * MIB);
		for (uint64_t at = GIB; at < GIB + 8 * MIB; at += PAGE) {
			struct s2_mapping m = bed_lookup(&bed, at);

			if (at < done)
				assert_true(m.state == S2_LEAF &&
					    m.pa.pa == at + 7 * GIB);
			else if (m.state == S2_LEAF)
				assert_true(m.pa.pa + (at - m.ipa.ipa) == at + 3 * GIB);
			else
				assert_int_equal(m.state, S2_EMPTY);
		}
		/* The op is free, and the same call does the rest. */
		bed_map(&bed, GIB, 8 * GIB, 8 * MIB, RW, S2_MAP_REPLACE | S2_MAP_PAGES);
		bed_check(&bed);
		bed_close(&bed);
	}
	assert_true(failed > 3);
}

/* The same beside others, by tables of leaves. */
static void a_table_of_a_shared_map_may_fail(void **state)
{
	(void)state;
	for (long n = 0; n <= 4; n++) {
		struct s2_limbo limbo = { 0 };
		struct s2_op op = { .limbo = &limbo };
		int ret;

		bed_open(&bed, 40, 0, 32);
		bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW, 0);
		bed.port.fail_after = n;
		ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 8 * MIB, RW,
			     S2_MAP_REPLACE | S2_MAP_PAGES | S2_SHARED, &op);
		bed.port.fail_after = -1;
		assert_int_equal(ret, n < 4 ? S2_E_NOMEM : 0);
		assert_true(op.done.ipa == GIB + (uint64_t)n * 2 * MIB);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		assert_int_equal(bed.s2.tags, 1);
		bed_check(&bed);
		for (uint64_t at = 0; at < 8 * MIB; at += PAGE) {
			struct s2_mapping m = bed_lookup(&bed, GIB + at);
			bool made = GIB + at < op.done.ipa;

			assert_int_equal(m.state, S2_LEAF);
			assert_int_equal(m.level, made ? 3 : 2);
			assert_true(m.pa.pa + (GIB + at - m.ipa.ipa) ==
				    (made ? 8 * GIB : 4 * GIB) + at);
		}
		bed_close(&bed);
	}
}

/* The tables of a window were taken; then another call has made one of them. */
static void a_map_may_need_fewer_than_it_took(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	int ret;

	(void)state;
	bed_open(&bed, 40, 0, 32);
	ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(GIB), 8 * MIB, RW, S2_MAP_PAGES, &op);
	assert_int_equal(ret, S2_MORE);
	bed_map(&bed, GIB + 8 * MIB, GIB, PAGE, RW, 0);
	while (ret == S2_MORE)
		ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(GIB), 8 * MIB, RW, S2_MAP_PAGES,
			     &op);
	assert_int_equal(ret, 0);
	bed_check(&bed);
	bed_close(&bed);
}

int main(void)
{
#define CALL(name, least)                                                    \
	{                                                                    \
#name, fails_at_every_allocation, NULL, NULL, &(struct call) \
		{                                                            \
			name, least                                          \
		}                                                            \
	}
	const struct CMUnitTest tests[] = {
		CALL(map_pages, 6),
		CALL(map_many_tables, 9),
		CALL(map_blocks, 4),
		CALL(replace_a_block_by_pages, 2),
		CALL(replace_a_part, 2),
		CALL(unmap_inside_a_block, 1),
		CALL(unmap_from_block_to_block, 3),
		CALL(split_blocks, 2),
		CALL(split_a_large_block, 4),
		CALL(split_behind_a_hole, 3),
		CALL(replace_a_part_and_split_the_edges, 2),
		CALL(map_pages_shared, 6),
		CALL(replace_a_block_shared, 1),
		CALL(replace_and_split_shared, 1),
		CALL(unmap_inside_a_block_shared, 1),
		CALL(split_blocks_shared, 2),
		cmocka_unit_test(a_later_step_may_fail),
		cmocka_unit_test(a_map_below_level_0_takes_no_spare),
		cmocka_unit_test(a_step_of_a_replacing_map_may_fail),
		cmocka_unit_test(a_table_of_a_shared_map_may_fail),
		cmocka_unit_test(a_map_may_need_fewer_than_it_took),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}
