/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a split makes of blocks, what it costs, and what happens to a block between the
 * build of its table and the break. test_nomem.c has the allocations that fail,
 * test_reshape.c has the machine model judge the same calls.
 */
#include "reshape.h"

/* To the end of the operation, each step within its budget; returns the steps. */
static unsigned split_by(uint64_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	unsigned steps = 0;
	int ret;

	do {
		ret = s2_split(&bed.s2, s2_ipa(ipa), size, flags, op);
		assert_true(!op->max_entries || op->visited <= op->max_entries);
		assert_true(++steps < 100000);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(op->done.ipa == ipa + size);
	return steps;
}

static void split(uint64_t ipa, uint64_t size)
{
	assert_int_equal(s2_split(&bed.s2, s2_ipa(ipa), size, 0, NULL), 0);
}

/* ---- what it makes ---------------- */

/*
 * One page of a block of each level: the path down to it is split, the rest of each
 * table is the next smaller leaves, and each is what s2_map() makes there.
 */
static void a_page_of_a_block_of_every_level(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHAPES; i++) {
		int first;

		bed_open_as(&bed, shapes[i], 16);
		first = first_block_level(&bed.s2);
		if (first < bed.s2.start_level)
			first = bed.s2.start_level;
		for (int level = first; level < LAST_LEVEL; level++) {
			uint64_t size = level_size(&bed.s2, level);
			uint64_t ipa = (UINT64_C(1) << shapes[i].ipa_bits) - size;
			uint64_t pa = (UINT64_C(1) << shapes[i].pa_bits) - size;
			uint64_t page = page_size(&bed.s2), tables;

			bed_map(&bed, ipa, pa, size, RW | S2_MEM_NC | S2_SW(5), 0);
			tables = bed_tables(&bed);
			split(ipa + size - page, page);
			bed_check(&bed);
			assert_int_equal(bed_tables(&bed),
					 tables + (unsigned)(LAST_LEVEL - level));
			for (int l = level + 1; l <= LAST_LEVEL; l++) {
				uint64_t each = level_size(&bed.s2, l);
				/* Beside the path down, but for the page. */
				uint64_t at = size - (l < LAST_LEVEL ? 2 : 1) * each;

				assert_int_equal(level_at(ipa + at), l);
				assert_true(bed_lookup(&bed, ipa + at).desc ==
					    desc_leaf(&bed.s2, pa + at,
						      RW | S2_MEM_NC | S2_SW(5), l));
			}
			bed_unmap(&bed, ipa, size, 0);
		}
		bed_close(&bed);
	}
}

static void a_split_and_a_map_of_pages_agree(void **state)
{
	static const s2_attr_t attrs[] = { RWX, S2_R | S2_MEM_NC, RW | S2_MEM_DEV_nGnRE,
					   RWX | S2_SW(15) };
	uint64_t by_map;

	(void)state;
	for (unsigned i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		open_bed(feature_set(i));
		bed_map(&bed, GIB, 4 * GIB, GIB, attrs[i], S2_MAP_PAGES);
		by_map = digest();
		bed_unmap(&bed, GIB, GIB, 0);
		bed_map(&bed, GIB, 4 * GIB, GIB, attrs[i], 0);
		split(GIB, GIB);
		assert_true(digest() == by_map);
		bed_check(&bed);
		close_bed();
	}
}

static void blocks_that_the_range_touches(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 6 * BLOCK, RW, 0);
	split(GIB + 2 * BLOCK - PAGE, 2 * BLOCK + 2 * PAGE);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(level_at(GIB + i * BLOCK), i >= 1 && i <= 4 ? 3 : 2);
	bed_check(&bed);
	close_bed();
}

/* ---- what it costs ---------------- */

static uint64_t writes;

static void count_writes(enum count_event what, uint64_t at, uint64_t value)
{
	(void)at;
	(void)value;
	writes += what == COUNT_STORE || what == COUNT_STORE_RELEASE || what == COUNT_CAS;
}

static void each_entry_once_and_one_invalidation(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		bool range = feature_set(f) & S2_FEAT_TLBIRANGE;
		struct s2_op op = { 0 };
		struct cost c;

		open_bed(feature_set(f));
		bed_map(&bed, GIB, 4 * GIB + BLOCK, GIB, RW, 0);
		bed_cost(&bed);
		writes = 0;
		watcher.also = count_writes;
		split_by(GIB, GIB, 0, &op);
		watcher.also = NULL;
		/* A block's entry is broken, and linked. */
		assert_int_equal(writes, ENTRIES * ENTRIES + 2 * ENTRIES);
		c = bed_cost(&bed);
		assert_int_equal(c.agents, 1);
		assert_int_equal(c.dsb, range ? 3 : 2);
		assert_int_equal(c.tlbi, range ? 2 : 1);
		assert_int_equal(c.clean_bytes | c.exec_bytes, 0);
		assert_int_equal(op.changed, ENTRIES);
		/* Counted, built, broken, linked: four walks, and no entry of a table. */
		assert_int_equal(op.visited, 4 * (1 + ENTRIES));
		close_bed();
	}
}

static void nothing_to_split_costs_nothing(void **state)
{
	struct cost c;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
	bed.port.fail_after = 0;
	bed_cost(&bed);
	split(0, UINT64_C(1) << IPA_BITS);
	c = bed_cost(&bed);
	assert_int_equal(c.dsb | c.tlbi | c.isb | c.agents, 0);
	assert_int_equal(bed.port.fail_after, 0);
	bed.port.fail_after = -1;
	close_bed();
}

static void a_budget_changes_the_steps_and_not_the_result(void **state)
{
	static const uint32_t budgets[] = { 512, 513, 1000, 2048, 4096, 100000 };
	uint64_t whole = 0;

	(void)state;
	for (unsigned i = 0; i <= sizeof(budgets) / sizeof(*budgets); i++) {
		struct s2_op op = { .max_entries = i ? budgets[i - 1] : 0 };
		unsigned steps;

		open_bed(i & 1 ? S2_FEAT_TLBIRANGE : 0);
		bed_map(&bed, GIB, 4 * GIB, GIB / 2 + 3 * BLOCK, RW, 0);
		bed_cost(&bed);
		steps = split_by(GIB + PAGE, GIB / 2, 0, &op);
		/* Two for a level-1 block, which there is none of. */
		assert_true(bed_cost(&bed).agents <= steps);
		if (!i) {
			assert_int_equal(steps, 1);
			whole = digest();
		}
		assert_true(digest() == whole);
		assert_int_equal(level_at(GIB), 3);
		assert_int_equal(level_at(GIB + GIB / 2), 3);
		assert_int_equal(level_at(GIB + GIB / 2 + BLOCK), 2);
		bed_check(&bed);
		close_bed();
	}
}

/* ---- FEAT_BBM ---------------- */

/* Accepted and not used: the referee sees that every block is broken first. */
static void with_bbm_it_breaks_first_all_the_same(void **state)
{
	static const uint32_t bbm[] = { 0, S2_FEAT_BBM1, S2_FEAT_BBM2,
					S2_FEAT_BBM1 | S2_FEAT_BBM2 };
	struct cost plain = { 0 };

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++)
		for (unsigned i = 0; i < 4; i++) {
			struct cost c;

			open_bed(feature_set(f) | bbm[i]);
			bed_map(&bed, GIB, 4 * GIB, 4 * BLOCK, RW, 0);
			bed_cost(&bed);
			watch_call(&watcher);
			split(GIB, 4 * BLOCK);
			assert_true(watcher.invalidated);
			c = bed_cost(&bed);
			assert_int_equal(c.agents, 1);
			if (!i)
				plain = c;
			assert_memory_equal(&c, &plain, sizeof(c));
			assert_int_equal(level_at(GIB + 3 * BLOCK), 3);
			bed_check(&bed);
			close_bed();
		}
}

/* ---- a block that changes under it ---------------- */

/*
 * What somebody else does to the block, right before the swap that breaks it, or when
 * it has been counted and tables are taken.
 */
static void (*meanwhile)(void);
static enum count_event when;
static uint64_t *block;

static void before_the_swap(struct count_port *port, enum count_event what, uint64_t at,
			    uint64_t value)
{
	void (*act)(void) = meanwhile;

	(void)value;
	if (!act || what != when ||
	    (what == COUNT_CAS && at != s2_port_table_pa(port, block)))
		return;
	meanwhile = NULL;
	act();
}

static void hardware_makes_it_dirty(void)
{
	*block |= DESC_S2AP_W;
}

/* What hardware adds to the block after its table was built is in the pages. */
static void an_update_by_hardware_is_not_lost(void **state)
{
	static const uint32_t features[] = { 0, S2_FEAT_BBM2 };

	(void)state;
	for (unsigned f = 0; f < 2; f++) {
		bed_open(&bed, IPA_BITS, S2_FEAT_HAFDBS | S2_FEAT_DBM | features[f], 16);
		bed_map(&bed, GIB, 4 * GIB, BLOCK, S2_R | S2_DBM, 0);
		block = bed_entry(&bed, GIB, 2);
		meanwhile = hardware_makes_it_dirty;
		when = COUNT_CAS;
		bed.port.record = before_the_swap;
		split(GIB, BLOCK);
		assert_null(meanwhile);
		for (unsigned i = 0; i < ENTRIES; i++)
			assert_true(
				*bed_entry(&bed, GIB + i * PAGE, 3) ==
				desc_leaf(&bed.s2, 4 * GIB + i * PAGE, RW | S2_DBM, 3));
		bed.port.record = NULL;
		bed_check(&bed);
		bed_close(&bed);
	}
}

static void others_unmap(void)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op), 0);
}

static void others_wrprotect(void)
{
	struct s2_op op = { 0 };

	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op), 0);
}

static void others_split(void)
{
	struct s2_op op = { 0 };

	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), PAGE, S2_SHARED, &op), 0);
}

/* Beside another shared call that has finished between build and break. */
static void a_late_change_is_not_lost(void **state)
{
	static void (*const change[])(void) = { others_unmap, others_wrprotect,
						others_split };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		void (*did)(void) = change[i / 2];
		struct s2_op op = { 0 };

		bed_open(&bed, IPA_BITS, S2_FEAT_FWB, 16);
		/* Another page keeps the table that the block is in. */
		bed_map(&bed, GIB, 4 * GIB, BLOCK + PAGE, RW, 0);
		block = bed_entry(&bed, GIB, 2);
		meanwhile = did;
		when = i & 1 ? COUNT_CAS : COUNT_ALLOC;
		bed.port.record = before_the_swap;
		split_by(GIB, BLOCK, S2_SHARED, &op);
		assert_null(meanwhile);
		bed.port.record = NULL;
		if (did == others_unmap) {
			assert_int_equal(bed_lookup(&bed, GIB).state, S2_EMPTY);
		} else {
			assert_int_equal(level_at(GIB), 3);
			assert_int_equal(bed_lookup(&bed, GIB + 9 * PAGE).attr,
					 did == others_wrprotect ? S2_R : RW);
		}
		/* No table that was not needed is left. */
		bed_check(&bed);
		assert_int_equal(bed.s2.tags, 1);
		bed_close(&bed);
	}
}

/* Other shared calls find the block broken: they wait, and change nothing. */
static void others_meet_it(enum count_event what, uint64_t at, uint64_t value)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	struct s2 *s2 = &bed.s2;
	s2_ipa_t page = s2_ipa(GIB + PAGE);
	bool young = false;

	(void)at;
	(void)value;
	if (what != COUNT_DSB_ISHST)
		return;
	bed.port.record = NULL;
	assert_int_equal(bed_lookup(&bed, GIB + PAGE).state, S2_BUSY);
	assert_int_equal(s2_map(s2, page, s2_pa(4 * GIB + PAGE), PAGE, RW, S2_SHARED,
				&op),
			 S2_E_BUSY);
	assert_int_equal(s2_relax_perms(s2, page, S2_X, S2_SHARED), S2_E_BUSY);
	assert_int_equal(s2_mkyoung(s2, page, S2_SHARED), S2_E_BUSY);
	op = (struct s2_op){ 0 };
	assert_int_equal(s2_wrprotect(s2, page, PAGE, S2_SHARED, &op), S2_MORE);
	op = (struct s2_op){ 0 };
	assert_int_equal(s2_age(s2, page, PAGE, S2_SHARED, &young, &op), S2_MORE);
	op = (struct s2_op){ .limbo = &limbo };
	assert_int_equal(s2_unmap(s2, page, PAGE, S2_SHARED | S2_DROP_EDGES, &op),
			 S2_MORE);
	op = (struct s2_op){ 0 };
	/* Not done before the block that somebody else has broken is pages. */
	assert_int_equal(s2_split(s2, s2_ipa(GIB), 2 * BLOCK, S2_SHARED, &op), S2_MORE);
	assert_int_equal(bed_lookup(&bed, GIB + PAGE).state, S2_BUSY);
	watcher.also = NULL;
	watch_start(&bed, &watcher);
}

static void other_shared_calls_wait(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(S2_FEAT_FWB | S2_FEAT_TTL);
	bed_map(&bed, GIB, 4 * GIB, 2 * BLOCK, RW, 0);
	watcher.also = others_meet_it;
	split_by(GIB, BLOCK, S2_SHARED, &op);
	assert_null(watcher.also);
	assert_int_equal(level_at(GIB), 3);
	bed_check(&bed);
	close_bed();
}

static void without_a_tag_it_waits(void **state)
{
	struct s2_op op = { 0 };

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, 0);
	bed_cost(&bed);
	bed.s2.tags = UINT64_MAX;
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op), S2_MORE);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(level_at(GIB), 2);
	assert_int_equal(bed_tables(&bed), 1);
	bed.s2.tags = 1;
	split_by(GIB, BLOCK, S2_SHARED, &op);
	assert_int_equal(level_at(GIB), 3);
	bed_check(&bed);
	close_bed();
}

static void shared_and_exclusive_calls_agree(void **state)
{
	uint64_t result[3];

	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		/* All at once; in steps; beside others. */
		for (unsigned how = 0; how < 3; how++) {
			struct s2_op op = { .max_entries = how == 1 ? 512 : 0 };
			unsigned steps;

			open_bed(feature_set(f));
			bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
			steps = split_by(GIB + 3 * BLOCK, GIB / 4,
					 how == 2 ? S2_SHARED : 0, &op);
			assert_true(how == 1 ? steps > 1 : steps == 1);
			assert_int_equal(bed.s2.tags, 1);
			bed_check(&bed);
			result[how] = digest();
			close_bed();
		}
		assert_true(result[0] == result[1] && result[0] == result[2]);
	}
}

/* Beside others it is done in one call, so there is nothing that a budget could bound. */
static void a_shared_split_has_no_budget(void **state)
{
	struct s2_op op = { .max_entries = 100000 };
	uint64_t before;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, 0);
	before = digest();
	bed_cost(&bed);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op),
			 S2_E_BUDGET);
	op = (struct s2_op){ .max_bytes = GIB };
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op),
			 S2_E_BUDGET);
	assert_true(digest() == before);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(bed.s2.tags, 1);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_a_block_of_every_level),
		cmocka_unit_test(a_split_and_a_map_of_pages_agree),
		cmocka_unit_test(blocks_that_the_range_touches),
		cmocka_unit_test(each_entry_once_and_one_invalidation),
		cmocka_unit_test(nothing_to_split_costs_nothing),
		cmocka_unit_test(a_budget_changes_the_steps_and_not_the_result),
		cmocka_unit_test(with_bbm_it_breaks_first_all_the_same),
		cmocka_unit_test(an_update_by_hardware_is_not_lost),
		cmocka_unit_test(a_late_change_is_not_lost),
		cmocka_unit_test(other_shared_calls_wait),
		cmocka_unit_test(without_a_tag_it_waits),
		cmocka_unit_test(shared_and_exclusive_calls_agree),
		cmocka_unit_test(a_shared_split_has_no_budget),
	};

	return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
