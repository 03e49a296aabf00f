/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes a block and what does not, what it costs, and what is kept. A referee
 * (watch.h) looks at every event where nothing else does. test_reshape.c has the
 * machine model judge the same calls.
 */
#include "reshape.h"

/* ---- what becomes a block ---------------- */

static void full_tables_become_the_block_that_map_makes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHAPES; i++) {
		int first;

		bed_open_as(&bed, shapes[i], 64);
		first = first_block_level(&bed.s2);
		if (first < bed.s2.start_level)
			first = bed.s2.start_level;
		for (int level = first; level < LAST_LEVEL; level++) {
			uint64_t size = level_size(&bed.s2, level);
			/* The last bytes of both address spaces. */
			uint64_t ipa = (UINT64_C(1) << shapes[i].ipa_bits) - size;
			uint64_t pa = (UINT64_C(1) << shapes[i].pa_bits) - size;
			struct s2_mapping m;
			uint64_t tables;

			bed_map_leaves(&bed, ipa, pa, size, level + 1, RWX | S2_SW(9));
			tables = bed_tables(&bed);
			collapse(ipa, size);
			bed_check(&bed);
			assert_int_equal(bed_tables(&bed), tables - 1);
			m = bed_lookup(&bed, ipa + size - 1);
			assert_int_equal(m.level, level);
			bed_unmap(&bed, ipa, size, 0);
			bed_map(&bed, ipa, pa, size, RWX | S2_SW(9), 0);
			assert_true(bed_lookup(&bed, ipa).desc == m.desc);
			bed_unmap(&bed, ipa, size, 0);
		}
		bed_close(&bed);
	}
}

static void pages_end_as_a_level_1_block(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, 4 * GIB, 8 * GIB, 2 * GIB, RW, S2_MAP_PAGES);
		collapse(4 * GIB, 2 * GIB);
		assert_int_equal(level_at(4 * GIB), 1);
		assert_int_equal(level_at(6 * GIB - 1), 1);
		assert_int_equal(bed_tables(&bed), 0);
		bed_check(&bed);
		close_bed();
	}
}

/* An IPA size whose walk starts at level 2: nothing is above the root. */
static void the_root_stays(void **state)
{
	(void)state;
	bed_open(&bed, 32, 0, 8);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	bed_cost(&bed);
	collapse(0, 4 * GIB);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(level_at(GIB), 2);
	bed_close(&bed);
}

/* A full table of the largest blocks stays where a larger one would have no encoding. */
static void no_block_above_the_first_level(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHAPES; i++) {
		uint64_t size;
		int first;

		bed_open_as(&bed, shapes[i], 8);
		first = first_block_level(&bed.s2);
		if (bed.s2.start_level < first) {
			size = level_size(&bed.s2, first - 1);
			bed_map_leaves(&bed, size, 2 * size, size, first, RW);
			bed_cost(&bed);
			collapse(0, UINT64_C(1) << shapes[i].ipa_bits);
			assert_int_equal(bed_cost(&bed).dsb, 0);
			assert_int_equal(level_at(size), first);
		}
		bed_close(&bed);
	}
}

/* ---- what does not ---------------- */

static void stays(uint64_t ipa, uint64_t size, int level)
{
	uint64_t tables = bed_tables(&bed);
	struct cost c;

	bed_cost(&bed);
	collapse(ipa, size);
	c = bed_cost(&bed);
	assert_int_equal(c.tlbi | c.dsb | c.isb | c.agents, 0);
	assert_int_equal(bed_tables(&bed), tables);
	assert_int_equal(level_at(ipa), level);
	watch_call(&watcher);
}

/* Any bit of one member, the first or another, but the access flag and the hint. */
static void a_member_with_another_bit_keeps_the_table(void **state)
{
	static const unsigned members[] = { 0, 1, 300, ENTRIES - 1 };

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
	bed_cost(&bed);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned bit = 0; bit < 64; bit++) {
			uint64_t *entry = bed_entry(&bed, GIB + members[i] * PAGE, 3);
			uint64_t was = *entry, tables = bed_tables(&bed);

			if (UINT64_C(1) << bit & (DESC_AF | DESC_CONT))
				continue;
			*entry ^= UINT64_C(1) << bit;
			collapse(GIB, BLOCK);
			assert_true(*entry == (was ^ UINT64_C(1) << bit));
			assert_int_equal(bed_tables(&bed), tables);
			assert_int_equal(bed_cost(&bed).tlbi, 0);
			*entry = was;
		}
	bed_check(&bed);
	collapse(GIB, BLOCK);
	assert_int_equal(level_at(GIB), 2);
	close_bed();
}

static void frames_must_be_aligned_and_in_a_row(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB + PAGE, BLOCK, RW, S2_MAP_PAGES);
	stays(GIB, BLOCK, 3);
	/* Two frames in each other's place. */
	bed_map(&bed, 2 * GIB, 8 * GIB, BLOCK, RW, S2_MAP_PAGES);
	bed_map(&bed, 2 * GIB, 8 * GIB + PAGE, PAGE, RW, S2_MAP_REPLACE);
	bed_map(&bed, 2 * GIB + PAGE, 8 * GIB, PAGE, RW, S2_MAP_REPLACE);
	stays(2 * GIB, BLOCK, 3);
	/* 2 MiB blocks whose frames no 1 GiB block can begin with. */
	bed_map(&bed, 3 * GIB, 9 * GIB + BLOCK, GIB, RW, 0);
	stays(3 * GIB, GIB, 2);
	close_bed();
}

static void a_hole_or_a_table_keeps_the_table(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	bed_unmap(&bed, GIB + 37 * PAGE, PAGE, 0);
	collapse(GIB, GIB);
	/* The one with the hole, and so the one above. */
	assert_int_equal(level_at(GIB), 3);
	assert_int_equal(level_at(GIB + BLOCK), 2);
	assert_int_equal(bed_tables(&bed), 2);
	stays(GIB, GIB, 3);
	bed_check(&bed);
	close_bed();
}

/*
 * A leaf that is broken and being cleaned in steps: it counts as live, and is no member.
 */
static void a_parked_member_keeps_the_table(void **state)
{
	const struct s2_config cfg = { .ipa_bits = 48,
				       .pa_bits = 52,
				       .features = S2_FEAT_LPA2 };
	uint64_t *entry, marker;
	struct s2_op op;

	(void)state;
	bed_open_as(&bed, cfg, 8);
	/* A full table of level-1 blocks, which could be a level-0 block. */
	bed_map_leaves(&bed, 512 * GIB, 1024 * GIB, 512 * GIB, 1, RW | S2_MEM_NC);
	op = (struct s2_op){ .max_bytes = PARKED };
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(700 * GIB), GIB, 0, &op), S2_MORE);
	entry = bed_entry(&bed, 700 * GIB, 1);
	marker = *entry;
	bed_cost(&bed);
	collapse(512 * GIB, 512 * GIB);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_true(*entry == marker);
	assert_int_equal(level_at(512 * GIB), 1);
	assert_int_equal(level_at(701 * GIB), 1);
	bed_end_park(&bed, &op, 700 * GIB);
	bed_check(&bed);
	/* As it was: a block. */
	bed_map(&bed, 700 * GIB, 1212 * GIB, GIB, RW | S2_MEM_NC, 0);
	collapse(512 * GIB, 512 * GIB);
	assert_int_equal(level_at(700 * GIB), 0);
	bed_close(&bed);
}

static void tables_that_the_range_cuts_stay(void **state)
{
	static const struct {
		uint64_t start, end;  /* of the range */
		uint64_t first, last; /* of what becomes blocks */
	} cut[] = {
		{ 0, 4 * BLOCK, 0, 4 * BLOCK },
		{ PAGE, 4 * BLOCK, BLOCK, 4 * BLOCK },
		{ 0, 4 * BLOCK - PAGE, 0, 3 * BLOCK },
		{ PAGE, 4 * BLOCK - PAGE, BLOCK, 3 * BLOCK },
		{ BLOCK - PAGE, BLOCK + PAGE, 0, 0 },
		{ 2 * BLOCK, 3 * BLOCK - PAGE, 0, 0 },
		{ BLOCK, 2 * BLOCK, BLOCK, 2 * BLOCK },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		open_bed(feature_set(i));
		bed_map(&bed, GIB, 4 * GIB, 4 * BLOCK, RW, S2_MAP_PAGES);
		collapse(GIB + cut[i].start, cut[i].end - cut[i].start);
		for (uint64_t at = 0; at < 4 * BLOCK; at += BLOCK)
			assert_int_equal(level_at(GIB + at),
					 at >= cut[i].first && at < cut[i].last ? 2 : 3);
		bed_check(&bed);
		close_bed();
	}
}

/* ---- young and dirty ---------------- */

/* A table of old pages, one of them young (@young < ENTRIES). */
static bool block_is_young(uint32_t features, unsigned young)
{
	bool was = false;

	open_bed(features);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), BLOCK, S2_CLEAR, &was, NULL), 0);
	if (young < ENTRIES)
		assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB + young * PAGE), 0), 0);
	watch_call(&watcher);
	collapse(GIB, BLOCK);
	assert_int_equal(level_at(GIB), 2);
	was = bed_lookup(&bed, GIB).young;
	close_bed();
	return was;
}

static void one_young_page_makes_the_block_young(void **state)
{
	(void)state;
	assert_false(block_is_young(0, ENTRIES));
	assert_true(block_is_young(0, 0));
	assert_true(block_is_young(0, 7));
	assert_true(block_is_young(0, ENTRIES - 1));
	/* Hardware may have set a flag until the TLBI was complete. */
	assert_true(block_is_young(S2_FEAT_HAFDBS, ENTRIES));
	assert_true(block_is_young(S2_FEAT_HAFDBS | S2_FEAT_BBM2, ENTRIES));
}

/* Pages that hardware may make writable, one of which it has (@dirty < ENTRIES). */
static uint64_t block_of_dirty(unsigned dirty)
{
	uint64_t d;

	open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, S2_R | S2_DBM, S2_MAP_PAGES);
	if (dirty < ENTRIES)
		*bed_entry(&bed, GIB + dirty * PAGE, 3) |= DESC_S2AP_W;
	collapse(GIB, BLOCK);
	assert_int_equal(level_at(GIB), 2);
	d = bed_lookup(&bed, GIB).desc;
	assert_true(d & DESC_DBM);
	close_bed();
	return d & DESC_S2AP_W;
}

static void one_dirty_page_makes_the_block_dirty(void **state)
{
	(void)state;
	assert_true(block_of_dirty(0));
	assert_true(block_of_dirty(9));
	assert_true(block_of_dirty(ENTRIES - 1));
	/* Hardware may have written one until the TLBI was complete. */
	assert_true(block_of_dirty(ENTRIES));
}

/* What hardware does to a page of the table until the TLBI is complete. */
static uint64_t *hardware_sets;

static void hardware(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	(void)port;
	(void)at;
	(void)value;
	if (what == COUNT_DSB_ISHST)
		*hardware_sets |= DESC_AF | DESC_S2AP_W;
}

static void an_update_by_hardware_is_not_lost(void **state)
{
	static const uint32_t features[] = { 0, S2_FEAT_BBM2 };
	bool young = false;

	(void)state;
	for (unsigned f = 0; f < 2; f++) {
		open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM | features[f]);
		bed_map(&bed, GIB, 4 * GIB, BLOCK, S2_R | S2_DBM, S2_MAP_PAGES);
		s2_age(&bed.s2, s2_ipa(GIB), BLOCK, S2_CLEAR, &young, NULL);
		hardware_sets = bed_entry(&bed, GIB + 77 * PAGE, 3);
		bed.port.record = hardware;
		collapse(GIB, BLOCK);
		assert_int_equal(level_at(GIB), 2);
		assert_true(bed_lookup(&bed, GIB).desc & DESC_AF);
		assert_true(bed_lookup(&bed, GIB).desc & DESC_S2AP_W);
		bed.port.record = NULL;
		close_bed();
	}
}

/* ---- what it costs ---------------- */

static void one_invalidation_for_a_level(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++)
		for (unsigned both = 0; both < 2; both++) {
			bool range = feature_set(f) & S2_FEAT_TLBIRANGE;
			struct s2_op op = { 0 };
			struct cost c;

			open_bed(feature_set(f));
			bed_map(&bed, GIB, both ? 4 * GIB : 4 * GIB + BLOCK, GIB, RW,
				S2_MAP_PAGES);
			bed_cost(&bed);
			collapse_by(GIB, GIB, 0, &op);
			c = bed_cost(&bed);
			assert_int_equal(c.agents, 1 + both);
			assert_int_equal(c.dsb, (range ? 3 : 2) * (1 + both));
			assert_int_equal(c.tlbi, (range ? 2 : 1) * (1 + both));
			assert_int_equal(c.clean_bytes | c.exec_bytes, 0);
			assert_int_equal(op.changed, ENTRIES + both);
			/*
			 * Each page once; the entries above for the break and for the
			 * block, with its table's first; each table once more, when it
			 * is freed. Then the level above: it does not fit, or all
			 * again.
			 */
			assert_int_equal(op.visited, 1 + ENTRIES * (ENTRIES + 1) + 1 +
							     2 * ENTRIES + ENTRIES +
							     (both ? ENTRIES + 4 : 2));
			assert_int_equal(level_at(GIB), both ? 1 : 2);
			close_bed();
		}
}

static void nothing_to_collapse_costs_no_invalidation(void **state)
{
	(void)state;
	open_bed(S2_FEAT_TLBIRANGE);
	bed_cost(&bed);
	collapse(0, UINT64_C(1) << IPA_BITS);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	bed_map(&bed, 2 * GIB, 8 * GIB, BLOCK - PAGE, RW, 0);
	bed_cost(&bed);
	collapse(0, UINT64_C(1) << IPA_BITS);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	close_bed();
}

static void it_never_allocates(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
	bed.port.fail_after = 0;
	collapse(GIB, GIB);
	assert_int_equal(bed.port.fail_after, 0);
	assert_int_equal(level_at(GIB), 1);
	bed.port.fail_after = -1;
	close_bed();
}

/* ---- budgets and steps ---------------- */

static void a_budget_changes_the_steps_and_not_the_result(void **state)
{
	static const uint32_t budgets[] = { 1024, 1025, 1537, 2048, 5000, 300000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(budgets) / sizeof(*budgets); i++) {
		struct s2_op op = { .max_entries = budgets[i] };
		unsigned steps;

		open_bed(feature_set(i));
		bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
		bed_map(&bed, 2 * GIB, 5 * GIB + BLOCK, 2 * BLOCK, RW, S2_MAP_PAGES);
		bed_cost(&bed);
		steps = collapse_by(GIB, 2 * GIB, 0, &op);
		/* One in a step, but for that in which a level ends. */
		assert_true(bed_cost(&bed).agents <= steps + 1);
		assert_int_equal(op.changed, ENTRIES + 3);
		assert_int_equal(level_at(GIB), 1);
		assert_int_equal(level_at(2 * GIB + BLOCK), 2);
		assert_int_equal(bed_tables(&bed), 1);
		/* Each page is looked at once, by half of each step at least. */
		assert_true(steps <= 3 + 2 * ENTRIES * (ENTRIES + 8) / budgets[i]);
		bed_check(&bed);
		close_bed();
	}
}

/*
 * op->done says what is finished. A block below a larger one that is still to be made is
 * not, though the pass that made it has come to the end of the range.
 */
static void what_is_below_done_is_finished(void **state)
{
	struct s2_op op = { .max_entries = 2 * ENTRIES };
	unsigned steps = 0;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(2 * GIB - PAGE), PAGE, 0, NULL), 0);
	while (s2_collapse(&bed.s2, s2_ipa(GIB), GIB, 0, &op) == S2_MORE) {
		assert_true(op.done.ipa == GIB || level_at(GIB) == 1);
		steps++;
	}
	assert_true(steps >= 2);
	assert_true(op.done.ipa == 2 * GIB);
	assert_int_equal(level_at(GIB), 1);
	close_bed();
}

/*
 * A step looks at a whole table: twice its entries is the least budget, of any granule,
 * and with that it gets on.
 */
static void a_table_is_looked_at_in_one_step(void **state)
{
	(void)state;
	for (uint8_t shift = 12; shift <= 16; shift += 2) {
		struct s2_config cfg = { .ipa_bits = 40,
					 .pa_bits = 48,
					 .granule_shift = shift,
					 .features = S2_FEAT_FWB };
		struct s2_op op = { 0 };
		uint64_t size;

		bed_open_as(&bed, cfg, 8);
		size = level_size(&bed.s2, 2);
		bed_map(&bed, size, 3 * size, 2 * size, RW, S2_MAP_PAGES);
		bed_cost(&bed);
		op.max_entries = 2 * table_entries(&bed.s2) - 1;
		assert_int_equal(s2_collapse(&bed.s2, s2_ipa(size), 2 * size, 0, &op),
				 S2_E_BUDGET);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		assert_int_equal(level_at(size), 3);
		op.max_entries++;
		assert_int_equal(s2_collapse(&bed.s2, s2_ipa(size), 2 * size, 0, &op),
				 S2_MORE);
		/* The first table, and not the second. */
		assert_int_equal(op.changed, 1);
		assert_int_equal(level_at(size), 2);
		assert_int_equal(level_at(2 * size), 3);
		collapse_by(size, 2 * size, 0, &op);
		assert_int_equal(level_at(2 * size), 2);
		bed_check(&bed);
		bed_close(&bed);
	}
}

/* Two tables, of which the first step of the least budget has made one a block. */
static void half_done(struct s2_op *op)
{
	*op = (struct s2_op){ .max_entries = 2 * ENTRIES };
	bed_map(&bed, GIB, 4 * GIB, 2 * BLOCK, RW, S2_MAP_PAGES);
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), 2 * BLOCK, 0, op), S2_MORE);
	assert_int_equal(op->changed, 1);
	assert_true(op->done.ipa == GIB + BLOCK);
	watch_call(&watcher);
}

static void the_rest(struct s2_op *op)
{
	watch_call(&watcher);
	collapse_by(GIB, 2 * BLOCK, 0, op);
	bed_check(&bed);
}

/* What a call between two steps changes, before and behind op->done. */
static void a_change_between_steps_is_seen(void **state)
{
	const uint64_t next = GIB + BLOCK;
	struct s2_op op;
	bool young = false;

	(void)state;
	open_bed(0);
	half_done(&op);
	bed_map(&bed, next + PAGE, 8 * GIB, PAGE, RW, S2_MAP_REPLACE);
	the_rest(&op);
	assert_int_equal(level_at(next), 3);
	assert_true(bed_lookup(&bed, next + PAGE).pa.pa == 8 * GIB);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	half_done(&op);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(next), PAGE, 0, NULL), 0);
	the_rest(&op);
	assert_int_equal(level_at(next), 3);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	half_done(&op);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(next), S2_X, 0), 0);
	the_rest(&op);
	assert_int_equal(level_at(next), 3);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	half_done(&op);
	bed_unmap(&bed, next + 3 * PAGE, PAGE, 0);
	the_rest(&op);
	assert_int_equal(bed_lookup(&bed, next + 3 * PAGE).state, S2_EMPTY);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	half_done(&op);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(next), BLOCK, S2_CLEAR, &young, NULL), 0);
	the_rest(&op);
	assert_int_equal(level_at(next), 2);
	assert_false(bed_lookup(&bed, next).young);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	/* Behind it: the block that it has made is split again, and stays so. */
	half_done(&op);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), BLOCK, 0, NULL), 0);
	bed_map(&bed, GIB, 8 * GIB, PAGE, RW, S2_MAP_REPLACE);
	the_rest(&op);
	assert_int_equal(level_at(GIB), 3);
	assert_true(bed_lookup(&bed, GIB).pa.pa == 8 * GIB);
	assert_int_equal(level_at(next), 2);
	bed_unmap(&bed, GIB, 2 * BLOCK, 0);

	/* Another collapse has finished all of it. */
	half_done(&op);
	collapse(GIB, 2 * BLOCK);
	assert_int_equal(level_at(next), 2);
	the_rest(&op);
	assert_int_equal(op.changed, 1);
	close_bed();
}

/* ---- where the tables go ---------------- */

static void tables_go_to_the_callers_limbo(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	uint64_t *table;

	(void)state;
	for (unsigned shared = 0; shared < 2; shared++) {
		open_bed(S2_FEAT_FWB);
		bed_map(&bed, GIB, 4 * GIB, GIB, RW, S2_MAP_PAGES);
		table = bed_entry(&bed, GIB, 3);
		collapse_by(GIB, GIB, shared ? S2_SHARED : 0, &op);
		assert_int_equal(bed_tables(&bed), ENTRIES + 1);
		assert_int_equal(limbo.tables, ENTRIES + 1);
		/* A late walker may still be in it: what it holds maps the same. */
		assert_true(desc_oa(&bed.s2, *table) == 4 * GIB);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		assert_int_equal(bed_tables(&bed), 0);
		bed_check(&bed);
		close_bed();
	}
}

/*
 * FEAT_BBM is accepted and not used: with level 1 or 2 every entry is broken, and
 * invalidated, before the block is put in its place. The referee fails otherwise.
 */
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
			bed_map(&bed, GIB, 4 * GIB + BLOCK, 4 * BLOCK, RW, S2_MAP_PAGES);
			bed_cost(&bed);
			watch_call(&watcher);
			collapse(GIB, 4 * BLOCK);
			assert_true(watcher.invalidated);
			c = bed_cost(&bed);
			assert_int_equal(c.agents, 1);
			if (!i)
				plain = c;
			assert_memory_equal(&c, &plain, sizeof(c));
			assert_int_equal(level_at(GIB + 3 * BLOCK), 2);
			bed_check(&bed);
			close_bed();
		}
}

/* ---- what it refuses ---------------- */

static void bad_input_is_refused(void **state)
{
	const uint64_t all = UINT64_C(1) << IPA_BITS;
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { 0 }, with_limbo = { .limbo = &limbo };
	uint64_t before;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
	bed_cost(&bed);
	before = digest();
#define REFUSES(ipa, size, flags, op, error) \
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(ipa), size, flags, op), error)
	REFUSES(GIB + 1, BLOCK, 0, NULL, S2_E_ALIGN);
	REFUSES(GIB, BLOCK + 8, 0, NULL, S2_E_ALIGN);
	REFUSES(GIB, 0, 0, NULL, S2_E_SIZE);
	REFUSES(UINT64_MAX - PAGE + 1, 2 * PAGE, 0, NULL, S2_E_WRAP);
	REFUSES(GIB, all, 0, NULL, S2_E_IPA_RANGE);
	for (unsigned bit = 0; bit < 32; bit++)
		if (1u << bit != S2_SHARED)
			REFUSES(GIB, BLOCK, 1u << bit, NULL, S2_E_FLAGS);
	REFUSES(GIB, BLOCK, S2_SHARED, NULL, S2_E_LIMBO);
	REFUSES(GIB, BLOCK, S2_SHARED, &op, S2_E_LIMBO);
	op.max_entries = S2_BUDGET_ENTRIES_MIN - 1;
	REFUSES(GIB, BLOCK, 0, &op, S2_E_BUDGET);
	op.max_entries = 0;
	op.max_bytes = S2_BUDGET_BYTES_MIN - 1;
	REFUSES(GIB, BLOCK, 0, &op, S2_E_BUDGET);
	/* A step looks at a whole table; a shared call has no steps. */
	op.max_bytes = 0;
	op.max_entries = 2 * ENTRIES - 1;
	REFUSES(GIB, BLOCK, 0, &op, S2_E_BUDGET);
	with_limbo.max_entries = 1000 * ENTRIES;
	REFUSES(GIB, BLOCK, S2_SHARED, &with_limbo, S2_E_BUDGET);
	with_limbo.max_entries = 0;
	with_limbo.max_bytes = GIB;
	REFUSES(GIB, BLOCK, S2_SHARED, &with_limbo, S2_E_BUDGET);
	assert_true(digest() == before);
	/* In the middle of another. */
	bed_map(&bed, GIB + BLOCK, 4 * GIB + BLOCK, BLOCK, RW, S2_MAP_PAGES);
	op = (struct s2_op){ .max_entries = 2 * ENTRIES };
	REFUSES(GIB, 2 * BLOCK, 0, &op, S2_MORE);
	before = digest();
	bed_cost(&bed);
	REFUSES(GIB, 3 * BLOCK, 0, &op, S2_E_RESUME);
	REFUSES(GIB + PAGE, 2 * BLOCK, 0, &op, S2_E_RESUME);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), 2 * BLOCK, 0, &op), S2_E_RESUME);
	/* Not one that it could not go on with either. */
	op.max_entries = 2 * ENTRIES - 1;
	REFUSES(GIB, 2 * BLOCK, 0, &op, S2_E_BUDGET);
	op.max_entries = 2 * ENTRIES;
	assert_true(digest() == before);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	collapse_by(GIB, 2 * BLOCK, 0, &op);
	assert_int_equal(level_at(GIB + BLOCK), 2);
	bed_check(&bed);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_tables_become_the_block_that_map_makes),
		cmocka_unit_test(pages_end_as_a_level_1_block),
		cmocka_unit_test(the_root_stays),
		cmocka_unit_test(no_block_above_the_first_level),
		cmocka_unit_test(a_member_with_another_bit_keeps_the_table),
		cmocka_unit_test(frames_must_be_aligned_and_in_a_row),
		cmocka_unit_test(a_hole_or_a_table_keeps_the_table),
		cmocka_unit_test(a_parked_member_keeps_the_table),
		cmocka_unit_test(tables_that_the_range_cuts_stay),
		cmocka_unit_test(one_young_page_makes_the_block_young),
		cmocka_unit_test(one_dirty_page_makes_the_block_dirty),
		cmocka_unit_test(an_update_by_hardware_is_not_lost),
		cmocka_unit_test(one_invalidation_for_a_level),
		cmocka_unit_test(nothing_to_collapse_costs_no_invalidation),
		cmocka_unit_test(it_never_allocates),
		cmocka_unit_test(a_budget_changes_the_steps_and_not_the_result),
		cmocka_unit_test(what_is_below_done_is_finished),
		cmocka_unit_test(a_table_is_looked_at_in_one_step),
		cmocka_unit_test(a_change_between_steps_is_seen),
		cmocka_unit_test(tables_go_to_the_callers_limbo),
		cmocka_unit_test(with_bbm_it_breaks_first_all_the_same),
		cmocka_unit_test(bad_input_is_refused),
	};

	return cmocka_run_group_tests_name("collapse", tests, NULL, NULL);
}
