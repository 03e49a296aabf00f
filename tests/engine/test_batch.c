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

/* In order, downwards, or from the middle: pages beside each other are one place. */
static void neighbours_are_one_place(void **state)
{
	const unsigned pages = 2 * S2_PLAN_OPS;

	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE);
		for (unsigned i = 0; i < pages; i++) {
			unsigned page = how == 1 ? pages - 1 - i : i;

			if (how == 2)
				page = i & 1 ? pages / 2 + i / 2 : pages / 2 - 1 - i / 2;
			assert_int_equal(unmap(page, &in), 0);
		}
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		assert_int_equal(bed_cost(&bed).tlbi, 2);
		assert_int_equal(bed.s2.tlbis[S2_TLBI_RIPAS2E1IS], 1);
		close_bed();
	}
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

/* ---- what the batch has unmapped is nobody else's until the flush ---------------- */

static bool young;
static struct s2_survey found;
static uint64_t log_bits[64];
static struct s2_dirty_log dirty;

static int map_over(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(8 * GIB + ipa), size, S2_R,
		      S2_MAP_REPLACE | S2_MAP_PAGES, op);
}

static int map_new(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(8 * GIB + ipa), size, S2_R,
		      S2_MAP_PAGES, op);
}

static int unmap_again(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(ipa), size, 0, op);
}

static int unmap_waived(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(ipa), size, S2_NO_CLEAN | S2_DROP_EDGES, op);
}

static int annotate(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_annotate(&bed.s2, s2_ipa(ipa), size, 5, 0, op);
}

static int annotate_none(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_annotate(&bed.s2, s2_ipa(ipa), size, 0, 0, op);
}

static int wrprotect(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_wrprotect(&bed.s2, s2_ipa(ipa), size, 0, op);
}

static int age(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_age(&bed.s2, s2_ipa(ipa), size, S2_CLEAR, &young, op);
}

static int collect_dirty(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	dirty = (struct s2_dirty_log){ s2_ipa(ipa), size, log_bits, false };
	return s2_dirty(&bed.s2, s2_ipa(ipa), size, S2_CLEAR, &dirty, op);
}

static int split(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_split(&bed.s2, s2_ipa(ipa), size, 0, op);
}

static int collapse(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_collapse(&bed.s2, s2_ipa(ipa), size, 0, op);
}

static int clean(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_clean(&bed.s2, s2_ipa(ipa), size, 0, op);
}

static int survey(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_survey(&bed.s2, s2_ipa(ipa), size, 0, &found, op);
}

typedef int call(uint64_t ipa, uint64_t size, struct s2_op *op);

static call *const changes[] = { map_over,	map_new,       unmap_again, unmap_waived,
				 annotate,	annotate_none, wrprotect,   age,
				 collect_dirty, split,	       collapse };

#define CHANGES (sizeof(changes) / sizeof(*changes))

/* An op that is not of the batch, or none. */
static void refused(call *change, uint64_t ipa, uint64_t size)
{
	struct s2_op op = { 0 }, old = op;
	uint64_t tables = bed_tables(&bed);
	struct cost c;

	bed_cost(&bed);
	assert_int_equal(change(ipa, size, NULL), S2_E_BATCH);
	assert_int_equal(change(ipa, size, &op), S2_E_BATCH);
	assert_memory_equal(&op, &old, sizeof(op));
	c = bed_cost(&bed);
	assert_int_equal(c.tlbi | c.dsb | c.isb | c.agents | c.clean_bytes, 0);
	assert_int_equal(bed_tables(&bed), tables);
}

/*
 * Pages [3, 6) wait for the flush: refused is what intersects them by as much as a page,
 * at either edge, and what holds them or lies inside. Beside them everything goes.
 */
static void others_keep_off_what_waits(void **state)
{
	static const uint64_t meets[][2] = { { 3, 3 }, { 2, 2 },   { 5, 2 },
					     { 4, 1 }, { 0, 512 }, { 0, 4096 } };
	const uint64_t at = GIB + 3 * PAGE;

	(void)state;
	for (unsigned i = 0; i < CHANGES; i++) {
		open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(at), 3 * PAGE, 0, &in), 0);
		for (unsigned k = 0; k < sizeof(meets) / sizeof(*meets); k++)
			refused(changes[i], GIB + meets[k][0] * PAGE, meets[k][1] * PAGE);
		for (unsigned page = 0; page < 9; page++)
			assert_int_equal(state_at(page),
					 page >= 3 && page < 6 ? S2_BUSY : S2_LEAF);
		/* Looks. */
		assert_int_equal(clean(GIB, 8 * PAGE, NULL), 0);
		assert_int_equal(bed_cost(&bed).clean_bytes, 5 * PAGE);
		assert_int_equal(survey(GIB, 8 * PAGE, NULL), 0);
		assert_int_equal(found.mapped, 5 * PAGE);
		assert_int_equal(found.busy, 3 * PAGE);
		/* The neighbours are anybody's. */
		assert_true(changes[i](GIB + 2 * PAGE, PAGE, NULL) != S2_E_BATCH);
		assert_true(changes[i](GIB + 6 * PAGE, PAGE, NULL) != S2_E_BATCH);
		bed_cost(&bed);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		assert_int_equal(bed_cost(&bed).clean_bytes, 3 * PAGE);
		for (unsigned page = 3; page < 6; page++)
			assert_int_equal(state_at(page), S2_EMPTY);
		/* Flushed, and the batch still open: nothing waits. */
		assert_true(changes[i](at, 3 * PAGE, NULL) != S2_E_BATCH);
		close_bed();
	}
}

/* By the ranges of the calls, not by a hull around them; and in detached tables. */
static void between_two_that_wait_is_nobodys(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	assert_int_equal(unmap(0, &in), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + 4 * MIB), 2 * MIB, 0, &in), 0);
	assert_int_equal(unmap(1, NULL), 0);
	assert_int_equal(wrprotect(GIB + PAGE, 4 * MIB - PAGE, NULL), 0);
	assert_int_equal(map_over(GIB + 5 * PAGE, 20 * PAGE, NULL), 0);
	refused(unmap_again, GIB + 5 * MIB, PAGE);
	refused(map_new, GIB + 6 * MIB - PAGE, 2 * PAGE);
	assert_int_equal(unmap_again(GIB + 6 * MIB, PAGE, NULL), 0);
	/* One address: as with whatever is busy. */
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), S2_X, 0), S2_E_BUSY);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB), 0), S2_E_BUSY);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB + 5 * MIB), 0), S2_E_BUSY);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(state_at(0), S2_EMPTY);
	assert_int_equal(state_at(1), S2_EMPTY);
	close_bed();
}

/* A block that the batch has dropped whole waits with all of it, at both edges. */
static void a_dropped_block_waits_whole(void **state)
{
	const uint64_t block = 8 * GIB;

	(void)state;
	for (unsigned i = 0; i < CHANGES; i++)
		for (unsigned both = 0; both < 2; both++) {
			uint64_t from = block + MIB, size = both ? 4 * MIB : PAGE;
			uint64_t end = block + (both ? 6 * MIB : 2 * MIB);

			open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
			bed_map(&bed, block - 2 * MIB, 16 * GIB - 2 * MIB, 10 * MIB, RW,
				S2_NO_CLEAN);
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(from), size,
						  S2_DROP_EDGES, &in),
					 0);
			assert_true(in.start.ipa == block && in.end.ipa == end);
			refused(changes[i], block, PAGE);
			refused(changes[i], end - PAGE, PAGE);
			refused(changes[i], block - 2 * MIB, 2 * MIB + PAGE);
			refused(changes[i], end - PAGE, 2 * MIB + PAGE);
			assert_true(changes[i](block - 2 * MIB, 2 * MIB, NULL) !=
				    S2_E_BATCH);
			assert_true(changes[i](end, 2 * MIB, NULL) != S2_E_BATCH);
			bed_cost(&bed);
			assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
			assert_int_equal(bed_cost(&bed).clean_bytes, end - block);
			assert_int_equal(bed_lookup(&bed, block).state, S2_EMPTY);
			assert_int_equal(bed_lookup(&bed, end - PAGE).state, S2_EMPTY);
			close_bed();
		}
}

/* The batch itself may unmap the same again: nothing is left to break. */
static void the_batch_may_meet_its_own(void **state)
{
	(void)state;
	for (unsigned fwb = 0; fwb < 2; fwb++) {
		open_bed(fwb ? S2_FEAT_FWB : 0);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 3 * PAGE, 0, &in), 0);
		assert_int_equal(in.changed, 3);
		assert_int_equal(unmap(1, &in), 0);
		assert_int_equal(in.changed, 0);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 16 * MIB, 0, &in), 0);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		/* Each page of it once. */
		assert_int_equal(bed_cost(&bed).clean_bytes, fwb ? 0 : 16 * MIB);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/* ---- a clean that is waived, and one that is not ---------------- */

static uint64_t cleaned[3]; /* pages of the 16 MiB, by who unmapped them */
static uint8_t owner[4096];

static void who_is_cleaned(struct count_port *port, enum count_event what, uint64_t at,
			   uint64_t size)
{
	(void)port;
	if (what != COUNT_CLEAN)
		return;
	for (; size; size -= PAGE, at += PAGE)
		cleaned[owner[(at - 4 * GIB) / PAGE]]++;
}

/*
 * P14, in both directions: what is waived is not cleaned, what is not waived is, each
 * page once, however the two kinds lie beside each other.
 */
static void waived_and_not_lie_beside_each_other(void **state)
{
	static const struct {
		uint64_t page, pages;
		bool waived;
	} range[] = {
		{ 0, 1, true },
		{ 1, 1, false },
		{ 2, 1, true },
		{ 100, 50, false },
		{ 150, 50, true },
		{ 50, 50, true },
		{ 300, 1, false },
		{ 302, 1, false },
		{ 301, 1, true },
		{ 512, 512, true },
		/* In a table that another call then takes whole. */
		{ 1100, 10, true },
		{ 1024, 512, false },
		{ 1536, 100, true },
		{ 1636, 412, false },
		{ 2048, 1024, true },
		{ 3072, 1, true },
		{ 3073, 511, false },
		{ 3600, 10, false },
		{ 3584, 512, true },
	};
	uint64_t want = 0;

	(void)state;
	open_bed(0);
	memset(owner, 0, sizeof(owner));
	memset(cleaned, 0, sizeof(cleaned));
	for (unsigned i = 0; i < sizeof(range) / sizeof(*range); i++) {
		uint8_t *o = &owner[range[i].page];

		/* Who does not waive it gets it, of what waits in his range, too. */
		for (uint64_t n = range[i].pages; n; n--, o++)
			*o = range[i].waived && *o < 2 ? 1 : 2;
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + range[i].page * PAGE),
					  range[i].pages * PAGE,
					  range[i].waived ? S2_NO_CLEAN : 0, &in),
				 0);
	}
	bed.port.record = who_is_cleaned;
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	bed.port.record = NULL;
	for (unsigned i = 0; i < 4096; i++)
		want += owner[i] == 2;
	assert_int_equal(cleaned[0], 0); /* still mapped */
	assert_int_equal(cleaned[1], 0); /* waived */
	assert_int_equal(cleaned[2], want);
	close_bed();
}

/* ---- the flush ---------------- */

static void a_flush_has_no_budget(void **state)
{
	const struct s2_op bounded[] = {
		{ .max_entries = S2_BUDGET_ENTRIES_MIN },
		{ .max_bytes = S2_BUDGET_BYTES_MIN },
		{ .max_entries = 1 },
		{ .max_entries = 100000, .max_bytes = GIB },
	};

	(void)state;
	open_bed(0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, &in), 0);
	for (unsigned i = 0; i < sizeof(bounded) / sizeof(*bounded); i++) {
		struct s2_op op = bounded[i];

		assert_int_equal(s2_batch_flush(&bed.s2, &batch, &op), S2_E_BUDGET);
		assert_int_equal(s2_batch_end(&bed.s2, &batch, &op), S2_E_BUDGET);
		assert_ptr_equal(bed.s2.batch, &batch);
		/* Nor has an unmap in it. */
		op.batch = &batch;
		assert_int_equal(unmap(3000, &op), S2_E_BUDGET);
		assert_int_equal(state_at(3000), S2_LEAF);
	}
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 8 * MIB);
	close_bed();
}

/* Tables that are empty only now, and the tables above them. */
static void the_flush_leaves_no_empty_table(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	(void)state;
	for (unsigned fwb = 0; fwb < 2; fwb++) {
		open_bed(fwb ? S2_FEAT_FWB : 0);
		bed_map(&bed, 3 * GIB, 8 * GIB, 2 * PAGE, RW, 0);
		/* One by the batch, the other by a call beside it. */
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(3 * GIB), PAGE, 0, &in), 0);
		bed_unmap(&bed, 3 * GIB + PAGE, PAGE, 0);
		/* Released behind it: a page of a table that stays. */
		assert_int_equal(unmap(5, &in), 0);
		assert_int_equal(bed_tables(&bed), 2 + 9);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, &op), 0);
		/* The upper one, with the lower. */
		assert_int_equal(bed_tables(&bed), 2 + 9);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		assert_int_equal(bed_tables(&bed), 9);
		/* All of it by single pages of the batch, out of order. */
		for (unsigned i = 0; i < 512; i++)
			assert_int_equal(unmap(i * 7 % 512, &in), 0);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		assert_int_equal(bed_tables(&bed), 8);
		close_bed();
	}
}

/* ---- a parked leaf met by a batch ---------------- */

/* It has been invalidated; it is cleaned at once, and the flush has nothing to do. */
static void a_parked_leaf_is_finished_by_the_batch(void **state)
{
	struct s2_op op;

	(void)state;
	for (unsigned waived = 0; waived < 2; waived++) {
		open_bed(0);
		bed_park(&bed, &op, 8 * GIB, 64 * GIB);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(8 * GIB), GIB,
					  waived ? S2_NO_CLEAN : 0, &in),
				 0);
		assert_int_equal(bed_lookup(&bed, 8 * GIB).state, S2_EMPTY);
		assert_int_equal(bed_cost(&bed).clean_bytes, GIB - PARKED);
		assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		bed_end_park(&bed, &op, 8 * GIB);
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		close_bed();
	}
}

/*
 * An operation in steps has to wait for the flush where the two meet, and goes on then.
 */
static void steps_go_on_after_the_flush(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	int ret;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 4 * MIB, 0, &op), S2_MORE);
	assert_int_equal(unmap(900, &in), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 4 * MIB, 0, &op), S2_E_BATCH);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(GIB), 4 * MIB, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 4 * MIB);
	close_bed();
}

/*
 * A table that its last page has taken along waits with all that it translates. A map of
 * another page there is refused, also in a later step, and goes on after the flush.
 */
static void a_table_that_waits_takes_no_map(void **state)
{
	const uint64_t there = 2 * GIB + 2 * MIB;
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	uint64_t changed = 0, from = there - 600 * PAGE, size = 601 * PAGE;
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, there + 8 * PAGE, 8 * GIB, PAGE, RW, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(there + 8 * PAGE), PAGE, 0, &in), 0);
	assert_int_equal(bed_lookup(&bed, there).state, S2_BUSY);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(there), s2_pa(8 * GIB), PAGE, RW, 0, &op),
			 S2_E_BATCH);
	/* Nothing has been begun, so the op is free. */
	do {
		ret = s2_map(&bed.s2, s2_ipa(from), s2_pa(4 * GIB), size, RW,
			     S2_MAP_PAGES, &op);
		assert_true(op.changed >= changed);
		changed = op.changed;
	} while (ret == S2_MORE);
	assert_int_equal(ret, S2_E_BATCH);
	assert_true(op.done.ipa > from);
	/* Something has been: only the same operation goes on. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(from), size, 0, &op), S2_E_RESUME);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), 0);
	do
		ret = s2_map(&bed.s2, s2_ipa(from), s2_pa(4 * GIB), size, RW,
			     S2_MAP_PAGES, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(op.changed, size / PAGE);
	close_bed();
}

/* ---- what does not belong ---------------- */

static void what_does_not_belong_is_refused(void **state)
{
	struct s2_batch other;
	struct s2_op stray = { .batch = &other }, op = { 0 };

	(void)state;
	open_bed(S2_FEAT_FWB | S2_FEAT_HAFDBS | S2_FEAT_DBM);
	assert_int_equal(s2_batch_begin(&bed.s2, &other), S2_E_BATCH);
	assert_int_equal(s2_batch_flush(&bed.s2, &other, NULL), S2_E_BATCH);
	assert_int_equal(s2_batch_end(&bed.s2, &other, NULL), S2_E_BATCH);
	assert_int_equal(unmap(0, &stray), S2_E_BATCH);
	/* In a batch there are unmaps, and nothing else. */
	for (unsigned i = 0; i < CHANGES; i++) {
		assert_int_equal(changes[i](GIB, 2 * MIB, &stray), S2_E_BATCH);
		if (changes[i] == unmap_again || changes[i] == unmap_waived)
			continue;
		assert_int_equal(changes[i](GIB, 2 * MIB, &in), S2_E_BATCH);
		assert_int_equal(changes[i](8 * GIB, 2 * MIB, &in), S2_E_BATCH);
	}
	assert_int_equal(clean(GIB, PAGE, &in), S2_E_BATCH);
	assert_int_equal(survey(GIB, PAGE, &in), S2_E_BATCH);
	assert_int_equal(s2_destroy(&bed.s2, 0, &in), S2_E_BATCH);
	/* Not while it is open, even if nothing waits. */
	assert_int_equal(s2_destroy(&bed.s2, 0, &op), S2_E_BATCH);
	assert_int_equal(s2_destroy(&bed.s2, 0, NULL), S2_E_BATCH);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	/* It is not open any more. */
	assert_int_equal(unmap(0, &in), S2_E_BATCH);
	assert_int_equal(s2_batch_flush(&bed.s2, &batch, NULL), S2_E_BATCH);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_unmaps_pay_for_one_invalidation),
		cmocka_unit_test(few_places_go_by_address),
		cmocka_unit_test(neighbours_are_one_place),
		cmocka_unit_test(tables_are_released_by_the_flush),
		cmocka_unit_test(one_range_too_many_flushes),
		cmocka_unit_test(others_keep_off_what_waits),
		cmocka_unit_test(between_two_that_wait_is_nobodys),
		cmocka_unit_test(a_dropped_block_waits_whole),
		cmocka_unit_test(the_batch_may_meet_its_own),
		cmocka_unit_test(waived_and_not_lie_beside_each_other),
		cmocka_unit_test(a_flush_has_no_budget),
		cmocka_unit_test(the_flush_leaves_no_empty_table),
		cmocka_unit_test(a_parked_leaf_is_finished_by_the_batch),
		cmocka_unit_test(steps_go_on_after_the_flush),
		cmocka_unit_test(a_table_that_waits_takes_no_map),
		cmocka_unit_test(what_does_not_belong_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
