/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counted leaves (P16): each is reported exactly once when it goes, after its
 * invalidation and its clean, by the call that has removed it.
 */
#include "beside.h"
#include "watched.h"
#include "desc.h"

#define SW_COUNTED 3u
#define COUNTED (RW | S2_SW(SW_COUNTED))
#define BLOCK (2 * MIB)
#define PA0 (4 * GIB)
#define MOST 4096u

/* What the port has heard, page by page: how often the frame of each. */
static unsigned heard[MOST];
static uint64_t base, reports;
static void *cookie;

static void hear(uint64_t ipa, uint64_t size)
{
	const struct count_gone *g = &bed.port.last;

	reports++;
	assert_true(g->ipa == ipa && g->size == size && !(ipa & (size - 1)));
	assert_true(g->pa - PA0 == ipa - base);
	assert_ptr_equal(g->cookie, cookie);
	for (uint64_t at = ipa; at < ipa + size; at += PAGE)
		if ((at - base) / PAGE < MOST)
			heard[(at - base) / PAGE]++;
}

static void on_event(enum count_event what, uint64_t at, uint64_t value)
{
	if (what != COUNT_GONE)
		return;
	assert_false(watcher.break_pending || watcher.clean_pending);
	hear(at, value);
}

static void only_hear(struct count_port *port, enum count_event what, uint64_t at,
		      uint64_t value)
{
	(void)port;
	if (what == COUNT_GONE)
		hear(at, value);
}

static void open_sized(uint32_t features, uint32_t pages)
{
	struct s2_config cfg = { .ipa_bits = IPA_BITS,
				 .pa_bits = 48,
				 .features = features,
				 .counted = 1u << SW_COUNTED };

	bed_open_as(&bed, cfg, pages);
	watcher = (struct watch){ .also = on_event };
	watch_start(&bed, &watcher);
	memset(heard, 0, sizeof(heard));
	base = GIB;
	reports = 0;
	cookie = NULL;
}

static void open_counted(uint32_t features)
{
	open_sized(features, 32);
}

/* Map at the place that belongs to it. */
static void map(uint64_t at, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	bed_map(&bed, base + at, PA0 + at, size, attr, flags);
}

static void unmap(uint64_t at, uint64_t size, uint32_t flags)
{
	watch_call(&watcher);
	bed_unmap(&bed, base + at, size, flags);
	watch_return(&watcher);
	bed_check(&bed);
}

/* So many reports since the last call, and each page of the range in one of them. */
static void told(uint64_t n, uint64_t at, uint64_t size)
{
	assert_int_equal(reports, n);
	for (uint64_t i = 0; i < MOST; i++)
		assert_int_equal(heard[i], i >= at / PAGE && i < (at + size) / PAGE);
	memset(heard, 0, sizeof(heard));
	reports = 0;
}

/* One page, the last of its table, and all of a table; a block; with and without FWB. */
static void each_leaf_that_goes_is_reported(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FEATURE_SETS; i++) {
		open_counted(feature_set(i));
		map(0, 2 * PAGE, COUNTED, 0);
		unmap(PAGE, PAGE, 0);
		told(1, PAGE, PAGE);
		unmap(0, PAGE, 0);
		told(1, 0, PAGE);
		assert_int_equal(bed_tables(&bed), 0);
		map(0, BLOCK, COUNTED, S2_MAP_PAGES);
		unmap(0, BLOCK, 0);
		told(ENTRIES, 0, BLOCK);
		map(0, BLOCK, COUNTED, 0);
		unmap(0, BLOCK, S2_NO_CLEAN);
		told(1, 0, BLOCK);
		/* Nothing of what is not counted, nor of what is not there. */
		map(0, BLOCK, RW | S2_SW(2), S2_MAP_PAGES);
		unmap(0, BLOCK, 0);
		unmap(0, BLOCK, 0);
		told(0, 0, 0);
		close_bed();
	}
}

/* What was mapped, software bits included, whatever the way it goes. */
static void a_report_says_what_was_mapped(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_batch batch;
	struct s2_op op;

	(void)state;
	for (unsigned sw = 0; sw < 16; sw++) {
		const s2_attr_t attr[] = { RWX | S2_SW(sw), S2_R | S2_MEM_NC | S2_SW(sw),
					   S2_W | S2_SH_OUTER | S2_SW(sw) };
		struct s2_config cfg = { .ipa_bits = IPA_BITS,
					 .pa_bits = 48,
					 .counted = (uint16_t)(1u << sw) };

		bed_open_as(&bed, cfg, 64);
		/* The tag of the marker, which has the place of some attributes. */
		bed.s2.tags = (UINT64_C(2) << (sw * 61 / 15)) - 1;
		for (unsigned i = 0; i < 12; i++) {
			const s2_attr_t a = attr[i % 3];

			bed.port.gone = 0;
			cookie = &bed.port.gone + i;
			op = (struct s2_op){ .cookie = cookie };
			bed_map(&bed, GIB + PAGE, PA0 + PAGE, PAGE, a, 0);
			bed_map(&bed, GIB, PA0, PAGE, i & 1 ? a : RW | S2_SW(sw ^ 1), 0);
			if (i / 3 == 1) {
				op.limbo = &limbo;
			} else if (i / 3 == 2) {
				assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
				op.batch = &batch;
			}
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + PAGE), PAGE,
						  i / 3 == 1 ? S2_SHARED : 0, &op),
					 0);
			op.batch = NULL;
			if (i / 3 == 2)
				assert_int_equal(s2_batch_end(&bed.s2, &batch, &op), 0);
			assert_int_equal(bed.port.gone, 1);
			assert_true(bed.port.last.ipa == GIB + PAGE);
			assert_true(bed.port.last.pa == PA0 + PAGE);
			assert_int_equal(bed.port.last.size, PAGE);
			assert_int_equal(bed.port.last.attr, a);
			assert_ptr_equal(bed.port.last.cookie, cookie);
			bed_unmap(&bed, GIB, PAGE, 0);
			assert_int_equal(bed.port.gone, 1 + (i & 1));
		}
		bed.s2.tags = 1;
		bed_close(&bed);
	}
}

/* P6: a table without counted leaves is not read, beside one that has them. */
static void a_table_without_them_is_not_read(void **state)
{
	(void)state;
	open_counted(S2_FEAT_FWB);
	map(0, 4 * BLOCK, RW, S2_MAP_PAGES);
	map(4 * BLOCK, PAGE, COUNTED, 0);
	map(4 * BLOCK + PAGE, BLOCK - PAGE, RW, 0);
	watch_forbid(&bed, &watcher, base, 4 * BLOCK);
	bed_cost(&bed);
	unmap(0, GIB, 0);
	told(1, 4 * BLOCK, PAGE);
	assert_int_equal(bed_cost(&bed).dsb, 2);
	free(watcher.forbidden);
	watcher.forbidden = NULL;
	close_bed();
}

/* A map changes no counted leaf in place, and makes none of a leaf that is there. */
static void a_map_replaces_or_refuses(void **state)
{
	static const s2_attr_t attr[][2] = {
		{ COUNTED, COUNTED },
		{ COUNTED, S2_R | S2_SW(SW_COUNTED) },
		{ COUNTED, RW },
		{ RW, COUNTED },
	};

	(void)state;
	open_counted(S2_FEAT_FWB);
	for (unsigned i = 0; i < 4; i++) {
		bool was = attr[i][0] == COUNTED, is = attr[i][1] != RW;

		map(0, 2 * PAGE, attr[i][0], 0);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(base), s2_pa(PA0), PAGE,
					attr[i][1], 0, NULL),
				 S2_E_EXIST);
		assert_int_equal(bed_lookup(&bed, base).attr, attr[i][0]);
		told(0, 0, 0);
		map(0, PAGE, attr[i][1], S2_MAP_REPLACE);
		assert_int_equal(bed_lookup(&bed, base).attr, attr[i][1]);
		told(was, 0, was * PAGE);
		unmap(0, PAGE, 0);
		told(is, 0, is * PAGE);
		unmap(PAGE, PAGE, 0);
		told(was, PAGE, was * PAGE);
	}
	/* A block over a table of them, and a page in the place of a block. */
	map(0, BLOCK, COUNTED, S2_MAP_PAGES);
	map(0, BLOCK, COUNTED, S2_MAP_REPLACE);
	told(ENTRIES, 0, BLOCK);
	map(0, PAGE, RW, S2_MAP_REPLACE | S2_DROP_EDGES);
	told(1, 0, BLOCK);
	close_bed();
}

/* The whole block if it is dropped whole, its parts if it is split: each byte once. */
static void what_goes_of_a_block_is_reported(void **state)
{
	(void)state;
	open_counted(S2_FEAT_FWB);
	map(0, BLOCK, COUNTED, 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base + PAGE), PAGE, 0, NULL),
			 S2_E_BLOCK);
	told(0, 0, 0);
	unmap(PAGE, PAGE, S2_SPLIT_EDGES);
	told(1, PAGE, PAGE);
	map(PAGE, PAGE, COUNTED, 0);
	/* Whole, alike and adjacent, and stays a table all the same. */
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(base), BLOCK, 0, NULL), 0);
	assert_int_equal(bed_lookup(&bed, base).level, 3);
	unmap(0, BLOCK, 0);
	told(ENTRIES, 0, BLOCK);
	map(0, BLOCK, COUNTED, 0);
	unmap(PAGE, PAGE, S2_DROP_EDGES);
	told(1, 0, BLOCK);
	map(0, BLOCK, COUNTED, 0);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(base), PAGE, 0, NULL), 0);
	told(0, 0, 0);
	unmap(0, BLOCK, 0);
	told(ENTRIES, 0, BLOCK);
	close_bed();
}

static void an_opened_run_is_no_report(void **state)
{
	(void)state;
	open_counted(S2_FEAT_FWB);
	map(0, 32 * PAGE, COUNTED, S2_MAP_CONT);
	assert_true(bed_lookup(&bed, base).contiguous);
	unmap(PAGE, PAGE, 0);
	told(1, PAGE, PAGE);
	assert_false(bed_lookup(&bed, base).contiguous);
	unmap(16 * PAGE, 16 * PAGE, 0);
	told(16, 16 * PAGE, 16 * PAGE);
	close_bed();
	/* The rest went with the instance. */
	assert_int_equal(reports, 15);
}

/* Changes in place are none either. */
static void what_stays_is_not_reported(void **state)
{
	bool young = false;

	(void)state;
	open_counted(0);
	map(0, 4 * PAGE, COUNTED, 0);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(base), 4 * PAGE, 0, NULL), 0);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(base), RW, 0), 0);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(base), 4 * PAGE, S2_CLEAR, &young, NULL),
			 0);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(base), 0), 0);
	assert_int_equal(s2_clean(&bed.s2, s2_ipa(base), 4 * PAGE, 0, NULL), 0);
	told(0, 0, 0);
	unmap(0, 4 * PAGE, 0);
	told(4, 0, 4 * PAGE);
	close_bed();
}

/*
 * In steps of the least budget, the last of which may end anywhere: what is reported is
 * below op->done or is a part of what comes next, and all of it in the end.
 */
static void a_budget_changes_nothing(void **state)
{
	struct s2_op op;
	int ret;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		open_counted(i & 1 ? S2_FEAT_FWB : 0);
		map(0, 3 * BLOCK, COUNTED, S2_MAP_PAGES);
		map(3 * BLOCK, BLOCK, COUNTED, 0);
		map(4 * BLOCK, BLOCK, RW, S2_MAP_PAGES);
		map(5 * BLOCK, PAGE, COUNTED, 0);
		op = (struct s2_op){ .max_entries = i < 4 ? S2_BUDGET_ENTRIES_MIN : 0,
				     .max_bytes = i / 2 ? S2_BUDGET_BYTES_MIN : 0,
				     .cookie = cookie = &op };
		do {
			watch_call(&watcher);
			ret = s2_unmap(&bed.s2, s2_ipa(base), GIB, 0, &op);
			watch_return(&watcher);
			if (op.max_entries)
				assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		for (unsigned p = 4 * ENTRIES; p < 5 * ENTRIES; p++)
			assert_int_equal(heard[p]++, 0);
		told(3 * ENTRIES + 2, 0, 5 * BLOCK + PAGE);
		close_bed();
	}
}

/* One page of a table at a time: the table goes with the last, within the budget. */
static void the_last_page_of_a_table_keeps_the_budget(void **state)
{
	struct s2_op op;
	int ret;

	(void)state;
	for (unsigned i = 0; i < ENTRIES; i += 73) {
		open_counted(0);
		map(0, BLOCK, COUNTED, S2_MAP_PAGES);
		if (i)
			unmap(0, i * PAGE, 0);
		if (i + 1 < ENTRIES)
			unmap((i + 1) * PAGE, BLOCK - (i + 1) * PAGE, 0);
		memset(heard, 0, sizeof(heard));
		reports = 0;
		op = (struct s2_op){ .max_entries = S2_BUDGET_ENTRIES_MIN };
		/* The first step takes the page, the next ones free the tables. */
		ret = s2_unmap(&bed.s2, s2_ipa(base + i * PAGE), PAGE, 0, &op);
		assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
		while (ret == S2_MORE)
			ret = s2_unmap(&bed.s2, s2_ipa(base + i * PAGE), PAGE, 0, &op);
		assert_int_equal(ret, 0);
		told(1, i * PAGE, PAGE);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/* By whoever ends its clean, once: the op that has parked it, another, a table's end. */
static void a_parked_leaf_is_reported_when_it_is_clean(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op, beside_op;
	int ret;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		open_counted(0);
		bed_map(&bed, base, PA0, GIB, COUNTED, S2_NO_CLEAN);
		op = (struct s2_op){ .max_bytes = PARKED };
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base), GIB, 0, &op), S2_MORE);
		assert_int_equal(reports, 0);
		beside_op = (struct s2_op){ 0 };
		if (i == 1) {
			unmap(0, GIB, S2_NO_CLEAN);
		} else if (i == 2) {
			/* It leaves the marker to whoever comes. */
			beside_op.limbo = &limbo;
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base), GIB, S2_SHARED,
						  &beside_op),
					 0);
			assert_int_equal(reports, 0);
		} else if (i == 3) {
			bed_map(&bed, base, PA0, GIB, RW, S2_MAP_REPLACE | S2_NO_CLEAN);
			bed_unmap(&bed, base, GIB, S2_NO_CLEAN);
		} else if (i == 4) {
			assert_int_equal(s2_destroy(&bed.s2, 0, NULL), 0);
			assert_int_equal(reports, 1);
			close_bed();
			continue;
		}
		do
			ret = s2_unmap(&bed.s2, s2_ipa(base), GIB, 0, &op);
		while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_int_equal(reports, 1);
		close_bed();
		assert_int_equal(reports, 1);
	}
}

/* The same where the table that it is in goes, unread but for it. */
static void a_parked_leaf_goes_with_its_table(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op, above;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_config cfg = { .ipa_bits = 48,
					 .pa_bits = 48,
					 .counted = 1u << SW_COUNTED };

		bed_open_as(&bed, cfg, 64);
		watcher = (struct watch){ .also = on_event };
		watch_start(&bed, &watcher);
		reports = 0;
		bed_map(&bed, base, PA0, GIB, COUNTED, S2_NO_CLEAN);
		bed_map(&bed, base + GIB, PA0 + GIB, GIB, RW, S2_NO_CLEAN);
		op = (struct s2_op){ .max_bytes = PARKED };
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base), GIB, 0, &op), S2_MORE);
		above = (struct s2_op){ .limbo = i == 1 ? &limbo : NULL };
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(0), 512 * GIB,
					  i == 1 ? S2_SHARED :
					  i == 2 ? S2_NO_CLEAN :
						   0,
					  &above),
				 0);
		assert_int_equal(reports, 1);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base), GIB, 0, &op), 0);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		close_bed();
		assert_int_equal(reports, 1);
	}
}

/* At the flush, after the one invalidation: pages, then the table that they were in. */
static void a_batch_reports_at_the_flush(void **state)
{
	struct s2_batch batch;
	struct s2_op op = { .batch = &batch };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		open_counted(i & 1 ? S2_FEAT_FWB : 0);
		map(0, 2 * BLOCK, COUNTED, S2_MAP_PAGES);
		assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
		op.batch = &batch;
		for (unsigned p = 0; p < 3; p++)
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base + 5 * p * PAGE),
						  PAGE, 0, &op),
					 0);
		/* Another counted leaf beside the markers, which stays. */
		map(3 * BLOCK, PAGE, COUNTED, S2_NO_CLEAN);
		if (i < 2)
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(base), BLOCK, 0, &op),
					 0);
		else
			for (unsigned p = 0; p < ENTRIES; p++)
				assert_int_equal(s2_unmap(&bed.s2,
							  s2_ipa(base + p * PAGE), PAGE,
							  0, &op),
						 0);
		assert_int_equal(reports, 0);
		op.batch = NULL;
		watch_call(&watcher);
		assert_int_equal(s2_batch_end(&bed.s2, &batch, &op), 0);
		watch_return(&watcher);
		told(ENTRIES, 0, BLOCK);
		close_bed();
		assert_int_equal(reports, ENTRIES + 1);
	}
}

static void destroy_reports_what_is_left(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct s2_op op = { .max_entries = i & 1 ? S2_BUDGET_ENTRIES_MIN : 0 };
		int ret;

		open_counted(S2_FEAT_FWB);
		map(0, 2 * BLOCK, COUNTED, S2_MAP_PAGES);
		map(2 * BLOCK, BLOCK, COUNTED, 0);
		if (i & 2) /* nothing is invalidated */
			bed.port.record = only_hear;
		do
			ret = s2_destroy(&bed.s2, i & 2 ? S2_VMID_UNUSED : 0, &op);
		while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		told(2 * ENTRIES + 1, 0, 3 * BLOCK);

		close_bed();
	}
}

/* Table pages go back unread if nothing in them is counted: no cost without the mark. */
static void an_instance_that_counts_costs_no_more(void **state)
{
	struct cost c, with;

	(void)state;
	for (unsigned counts = 0; counts < 2; counts++) {
		if (counts)
			open_sized(S2_FEAT_FWB | S2_FEAT_TLBIRANGE, 600);
		else
			open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE);
		bed_map(&bed, GIB, PA0, GIB, RW, S2_MAP_PAGES);
		watch_forbid(&bed, &watcher, GIB, GIB);
		bed_cost(&bed);
		bed_unmap(&bed, GIB, GIB, 0);
		with = bed_cost(&bed);
		free(watcher.forbidden);
		watcher.forbidden = NULL;
		if (!counts)
			c = with;
		close_bed();
	}
	assert_memory_equal(&c, &with, sizeof(c));
}

/* Nor does one page, counted or not: it goes the short way. */
static void a_page_costs_no_more(void **state)
{
	const s2_attr_t attr[] = { RW, RW, COUNTED };
	uint64_t visits[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op make = { 0 }, take = { 0 };

		if (i)
			open_counted(S2_FEAT_FWB);
		else
			open_bed(S2_FEAT_FWB);
		bed_map(&bed, GIB, PA0, 4 * PAGE, attr[i], 0);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB + 4 * PAGE),
					s2_pa(PA0 + 4 * PAGE), PAGE, attr[i], 0, &make),
				 0);
		assert_int_equal(
			s2_unmap(&bed.s2, s2_ipa(GIB + 4 * PAGE), PAGE, 0, &take), 0);
		if (attr[i] == COUNTED)
			told(1, 4 * PAGE, PAGE);
		visits[i] = make.visited + take.visited;
		assert_int_equal(visits[i], visits[0]);
		close_bed();
	}
}

/* ---- beside others: exactly once, whoever comes first ------------------------------ */

static struct s2_limbo limbo, limbo_beside;
static int ret_beside;
static uint64_t made;

static void count_event(struct count_port *port, enum count_event what, uint64_t at,
			uint64_t value)
{
	if (what == COUNT_GONE)
		hear(at, value);
	beside_event(port, what, at, value);
}

static int map_shared(uint64_t at, uint64_t size, uint32_t flags, struct s2_limbo *l)
{
	struct s2_op op = { .limbo = l };
	int ret = s2_map(&bed.s2, s2_ipa(base + at), s2_pa(PA0 + at), size, COUNTED,
			 S2_SHARED | flags, &op);

	made += ret ? 0 : size / PAGE;
	return ret;
}

static int unmap_shared(uint64_t at, uint64_t size, uint32_t flags, struct s2_limbo *l)
{
	struct s2_op op = { .limbo = l };

	return s2_unmap(&bed.s2, s2_ipa(base + at), size, S2_SHARED | flags, &op);
}

static void other_maps(void)
{
	ret_beside = map_shared(PAGE, PAGE, 0, &limbo_beside);
}

static void other_maps_deeper(void)
{
	ret_beside = map_shared(BLOCK, PAGE, 0, &limbo_beside);
}

static void other_unmaps_a_page(void)
{
	ret_beside = unmap_shared(0, PAGE, 0, &limbo_beside);
}

static void other_unmaps_all(void)
{
	ret_beside = unmap_shared(0, GIB, S2_NO_CLEAN, &limbo_beside);
}

static void other_replaces(void)
{
	ret_beside = map_shared(0, PAGE, S2_MAP_REPLACE, &limbo_beside);
}

static void other_splits(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_split(&bed.s2, s2_ipa(base + 2 * BLOCK), BLOCK, S2_SHARED, &op);
}

/* Each page that a map has made was reported once, or is there. */
static void settle(void)
{
	uint64_t gone = 0, there = 0;
	struct s2_iter it;
	struct s2_mapping m;

	for (unsigned p = 0; p < MOST; p++)
		gone += heard[p];
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(base), GIB), 0);
	while (s2_iter_next(&it, &m)) {
		beside_require(m.state == S2_LEAF, "0x%" PRIx64 " is busy", m.ipa.ipa);
		there += m.size / PAGE;
	}
	beside_require(gone + there == made,
		       "%" PRIu64 " pages made, %" PRIu64 " reported, %" PRIu64 " there",
		       made, gone, there);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	assert_int_equal(s2_release(&bed.s2, &limbo_beside, NULL), 0);
	bed_check(&bed);
	bed_close(&bed);
}

/* An unmap of a page, of its table, of all; and a replacing map. */
static void beside_each_other_each_is_reported_once(void **state)
{
	static void (*const others[])(void) = {
		other_maps,	  other_maps_deeper, other_unmaps_a_page,
		other_unmaps_all, other_replaces,    other_splits,
	};
	static const uint64_t sizes[] = { PAGE, BLOCK, GIB };

	(void)state;
	for (unsigned i = 0; i < 6 * 4 * 2; i++) {
		unsigned first = i / 6 % 4;

		for (beside_begin(others[i % 6]); beside_next();) {
			open_counted(i < 24 ? S2_FEAT_FWB : 0);
			bed.port.record = NULL;
			limbo = limbo_beside = (struct s2_limbo){ 0 };
			made = 0;
			assert_int_equal(map_shared(0, PAGE, 0, &limbo), 0);
			assert_int_equal(map_shared(2 * BLOCK, BLOCK, 0, &limbo), 0);
			beside_arm(&bed);
			bed.port.record = count_event;
			if (first < 3)
				unmap_shared(0, sizes[first], 0, &limbo);
			else
				map_shared(0, BLOCK, S2_MAP_REPLACE, &limbo);
			beside_disarm(&bed);
			settle();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_leaf_that_goes_is_reported),
		cmocka_unit_test(a_report_says_what_was_mapped),
		cmocka_unit_test(a_table_without_them_is_not_read),
		cmocka_unit_test(a_map_replaces_or_refuses),
		cmocka_unit_test(what_goes_of_a_block_is_reported),
		cmocka_unit_test(an_opened_run_is_no_report),
		cmocka_unit_test(what_stays_is_not_reported),
		cmocka_unit_test(a_budget_changes_nothing),
		cmocka_unit_test(the_last_page_of_a_table_keeps_the_budget),
		cmocka_unit_test(a_parked_leaf_is_reported_when_it_is_clean),
		cmocka_unit_test(a_parked_leaf_goes_with_its_table),
		cmocka_unit_test(a_batch_reports_at_the_flush),
		cmocka_unit_test(destroy_reports_what_is_left),
		cmocka_unit_test(an_instance_that_counts_costs_no_more),
		cmocka_unit_test(a_page_costs_no_more),
		cmocka_unit_test(beside_each_other_each_is_reported_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
