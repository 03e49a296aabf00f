/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty state that hardware keeps. Hardware is a hook on the port: it may write an
 * entry between the engine's load and its swap, and never again after that.
 */
#include "watched.h"
#include "desc.h"

#define DBM (RW | S2_DBM)     /* begins dirty */
#define CLEAN (S2_R | S2_DBM) /* begins clean, and is writable */
#define FEATURES (S2_FEAT_HAFDBS | S2_FEAT_DBM)
#define LOG_PAGES (64 * 512u)

static uint64_t bits[LOG_PAGES / 64];
static struct s2_dirty_log dirty;

static void open_log(uint32_t features)
{
	open_bed(features);
	memset(bits, 0, sizeof(bits));
	dirty = (struct s2_dirty_log){ s2_ipa(GIB), LOG_PAGES * PAGE, bits, false };
}

/* Pages in the log, which is emptied. */
static unsigned logged(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LOG_PAGES / 64; i++) {
		n += (unsigned)__builtin_popcountll(bits[i]);
		bits[i] = 0;
	}
	return n;
}

static bool in_log(uint64_t ipa)
{
	uint64_t i = (ipa - GIB) / PAGE;

	return bits[i / 64] >> i % 64 & 1;
}

static uint64_t *entry_of(uint64_t ipa)
{
	uint64_t *table = bed.s2.root;
	int level = bed.s2.start_level;
	uint64_t *entry;

	for (;; level++) {
		uint64_t i = ipa >> level_shift(&bed.s2, level);

		entry = &table[level == bed.s2.start_level ? i : i & (ENTRIES - 1)];
		if (!desc_valid_table(*entry, level))
			return entry;
		table = s2_port_table_va(&bed.port, desc_oa(&bed.s2, *entry));
	}
}

/* The guest writes to a page: what hardware does to the entry. False: a fault. */
static bool guest_writes(uint64_t ipa)
{
	uint64_t *entry = entry_of(ipa);

	if (!desc_valid(*entry) || !(*entry & (DESC_DBM | DESC_S2AP_W)))
		return false;
	*entry |= DESC_AF | DESC_S2AP_W;
	return true;
}

static int collect(uint64_t ipa, uint64_t size, uint32_t flags)
{
	return s2_dirty(&bed.s2, s2_ipa(ipa), size, flags, &dirty, NULL);
}

/* ---- s2_dirty() ---------------- */

static void what_was_written_is_reported(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 64 * PAGE, CLEAN, S2_MAP_PAGES);
	assert_int_equal(collect(GIB, 64 * PAGE, 0), 0);
	assert_int_equal(logged(), 0);
	assert_true(guest_writes(GIB + 3 * PAGE));
	assert_true(guest_writes(GIB + 63 * PAGE));
	bed_cost(&bed);
	assert_int_equal(collect(GIB, 64 * PAGE, 0), 0);
	assert_true(in_log(GIB + 3 * PAGE) && in_log(GIB + 63 * PAGE));
	assert_int_equal(logged(), 2);
	/* Only looking costs nothing, and changes nothing. */
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(collect(GIB, 64 * PAGE, 0), 0);
	assert_int_equal(logged(), 2);
	/* A range is a range. */
	assert_int_equal(collect(GIB + 4 * PAGE, 16 * PAGE, 0), 0);
	assert_int_equal(logged(), 0);
	close_bed();
}

/* Clean again and still writable, by one invalidation. */
static void what_is_cleared_is_recorded_again(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 64 * PAGE, DBM, S2_MAP_PAGES);
	bed_cost(&bed);
	watch_call(&watcher);
	assert_int_equal(collect(GIB, 64 * PAGE, S2_CLEAR), 0);
	watch_return(&watcher);
	assert_int_equal(bed_cost(&bed).agents, 1);
	assert_int_equal(logged(), 64);
	assert_int_equal(bed_lookup(&bed, GIB).attr, CLEAN);
	assert_int_equal(collect(GIB, 64 * PAGE, S2_CLEAR), 0);
	assert_int_equal(logged(), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_true(guest_writes(GIB + 7 * PAGE));
	assert_int_equal(collect(GIB, 64 * PAGE, S2_CLEAR), 0);
	assert_true(in_log(GIB + 7 * PAGE));
	assert_int_equal(logged(), 1);
	close_bed();
}

static void a_dirty_block_is_all_of_its_pages(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, CLEAN, 0);
	assert_true(guest_writes(GIB + 3 * MIB));
	assert_int_equal(collect(GIB + 2 * MIB, PAGE, S2_CLEAR), 0);
	for (uint64_t p = GIB + 2 * MIB; p < GIB + 4 * MIB; p += PAGE)
		assert_true(in_log(p));
	assert_int_equal(logged(), 512);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * MIB).attr, CLEAN);
	close_bed();
}

/* Only what has DBM already has a dirty state to keep. */
static void pages_that_get_dbm_begin_as_they_are_asked(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 4 * PAGE, RW, S2_MAP_PAGES);
	bed_map(&bed, GIB, 4 * GIB, 2 * PAGE, CLEAN, 0);
	bed_map(&bed, GIB + 2 * PAGE, 4 * GIB + 2 * PAGE, 2 * PAGE, DBM, 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, CLEAN);
	assert_int_equal(bed_lookup(&bed, GIB + 3 * PAGE).attr, DBM);
	bed_map(&bed, GIB + 2 * PAGE, 4 * GIB + 2 * PAGE, 2 * PAGE, CLEAN, 0);
	assert_int_equal(bed_lookup(&bed, GIB + 3 * PAGE).attr, DBM);
	close_bed();
}

/* A log that ends inside a block: told, but not cleared, or a page would be lost. */
static void a_block_beyond_the_log_stays_dirty(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 4 * MIB, DBM, 0);
	dirty.size = 3 * MIB;
	assert_int_equal(collect(GIB, 3 * MIB, S2_CLEAR), 0);
	assert_int_equal(logged(), 3 * 256);
	assert_int_equal(bed_lookup(&bed, GIB).attr, CLEAN);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * MIB).attr, DBM);
	dirty.ipa = s2_ipa(GIB + 3 * MIB);
	assert_int_equal(collect(GIB + 3 * MIB, MIB, S2_CLEAR), 0);
	assert_int_equal(logged(), 256);
	assert_int_equal(bed_lookup(&bed, GIB + 2 * MIB).attr, DBM);
	assert_false(dirty.missed);
	close_bed();
}

static void a_budget_loses_nothing(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	unsigned steps = 0;
	int ret;

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, DBM, S2_MAP_PAGES);
	do {
		watch_call(&watcher);
		ret = s2_dirty(&bed.s2, s2_ipa(GIB), 8 * MIB, S2_CLEAR, &dirty, &op);
		watch_return(&watcher);
		assert_true(op.visited <= S2_BUDGET_ENTRIES_MIN);
		steps++;
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(steps > 4);
	assert_int_equal(logged(), 2048);
	close_bed();
}

/* ---- hardware at the worst moment ---------------- */

static uint64_t write_done; /* the entry of the last */

/* Writes to the page whose entry is about to be swapped, the first time. */
static void write_before_the_swap(enum count_event what, uint64_t at, uint64_t value)
{
	uint64_t *entry = s2_port_table_va(&bed.port, at);

	(void)value;
	if (what != COUNT_CAS || at == write_done || !desc_valid(*entry) ||
	    !(*entry & DESC_DBM) || *entry & DESC_S2AP_W)
		return;
	write_done = at;
	*entry |= DESC_S2AP_W;
}

static void a_write_before_the_break_is_harvested(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 16 * PAGE, CLEAN, S2_MAP_PAGES);
	watcher.also = write_before_the_swap;
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 16 * PAGE, 0, &op), 0);
	assert_int_equal(logged(), 16);
	close_bed();
}

static int protect_and_log(uint64_t size)
{
	struct s2_op op = { .dirty = &dirty };

	return s2_wrprotect(&bed.s2, s2_ipa(GIB), size, 0, &op);
}

static int age(uint64_t size)
{
	bool young = false;

	return s2_age(&bed.s2, s2_ipa(GIB), size, S2_CLEAR, &young, NULL);
}

static int relax(uint64_t size)
{
	int ret = 0;

	for (uint64_t at = 0; at < size; at += PAGE)
		ret |= s2_relax_perms(&bed.s2, s2_ipa(GIB + at), S2_XU | S2_XP, 0);
	return ret;
}

static int map_for_more(uint64_t size)
{
	return s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), size, CLEAN | S2_X, 0, NULL);
}

/* A write comes between the load and the swap of every change: both are seen. */
static void a_write_before_a_change_is_kept(void **state)
{
	static const struct {
		int (*change)(uint64_t size);
		s2_attr_t attr; /* afterwards */
		bool young;
	} one[] = {
		{ protect_and_log, S2_R, true },
		{ age, DBM, false },
		{ relax, DBM | S2_X, true },
		{ map_for_more, DBM | S2_X, true },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(one) / sizeof(*one); i++) {
		open_log(FEATURES);
		bed_map(&bed, GIB, 4 * GIB, 16 * PAGE, CLEAN, S2_MAP_PAGES);
		write_done = 0;
		watcher.also = write_before_the_swap;
		assert_int_equal(one[i].change(16 * PAGE), 0);
		watcher.also = NULL;
		for (unsigned k = 0; k < 16; k++) {
			struct s2_mapping m = bed_lookup(&bed, GIB + k * PAGE);

			assert_int_equal(m.attr, one[i].attr);
			assert_int_equal(m.young, one[i].young);
		}
		if (one[i].change != protect_and_log)
			assert_int_equal(collect(GIB, 16 * PAGE, 0), 0);
		assert_int_equal(logged(), 16);
		close_bed();
	}
}

static void a_write_before_the_split_goes_to_every_page(void **state)
{
	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, CLEAN, 0);
	watcher.also = write_before_the_swap;
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, NULL), 0);
	watcher.also = NULL;
	assert_int_equal(bed_lookup(&bed, GIB + MIB).level, 3);
	assert_int_equal(collect(GIB, 2 * MIB, 0), 0);
	assert_int_equal(logged(), 512);
	close_bed();
}

/* ---- harvest ---------------- */

/* Whole tables, which are otherwise detached unread, at two levels, and an edge. */
static void an_unmap_loses_no_dirty_state(void **state)
{
	for (uint32_t budget = 0; budget <= 600; budget += 600) {
		struct s2_op op = { .max_entries = budget, .dirty = &dirty };
		int ret;

		(void)state;
		open_log(FEATURES | S2_FEAT_FWB);
		bed_map(&bed, GIB, 4 * GIB, 32 * MIB, CLEAN, S2_MAP_PAGES);
		bed_map(&bed, GIB + 32 * MIB, 8 * GIB, 2 * MIB, CLEAN, 0);
		for (uint64_t i = 0; i < 32 * 256; i += 97)
			assert_true(guest_writes(GIB + i * PAGE));
		assert_true(guest_writes(GIB + 32 * MIB));
		do {
			watch_call(&watcher);
			ret = s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &op);
			watch_return(&watcher);
			assert_true(!budget || op.visited <= budget);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		for (uint64_t i = 0; i < 32 * 256; i++)
			assert_int_equal(in_log(GIB + i * PAGE), i % 97 == 0);
		assert_int_equal(logged(), 85 + 512);
		assert_false(dirty.missed);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/* Without a log, or where there is none to harvest, tables go unread as ever (P6). */
static void only_tables_with_such_leaves_are_read(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES | S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW, S2_MAP_PAGES);
	watch_forbid(&bed, &watcher, GIB, 8 * MIB);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, &op), 0);
	free(watcher.forbidden);
	watcher.forbidden = NULL;
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, DBM, S2_MAP_PAGES);
	watch_forbid(&bed, &watcher, GIB, 8 * MIB);
	bed_unmap(&bed, GIB, 8 * MIB, 0);
	assert_int_equal(logged(), 0);
	free(watcher.forbidden);
	watcher.forbidden = NULL;
	close_bed();
}

/* The flag that says so comes down with a split. */
static void pages_of_a_split_block_are_harvested(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES | S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, CLEAN, 0);
	assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, NULL), 0);
	assert_true(guest_writes(GIB + 5 * PAGE));
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, &op), 0);
	assert_true(in_log(GIB + 5 * PAGE));
	assert_int_equal(logged(), 1);
	close_bed();
}

static void a_dropped_block_beyond_the_log_is_reported(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, DBM, 0);
	dirty.size = MIB;
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), PAGE, S2_DROP_EDGES, &op), 0);
	assert_int_equal(logged(), 256);
	assert_true(dirty.missed);
	close_bed();
}

/* A log for few pages has a bit for those and for no others. */
static void what_lies_outside_the_log_is_missed(void **state)
{
	static const struct {
		uint64_t page;
		bool missed;
		uint64_t word[5];
	} one[] = {
		{ 9, true, { 0 } },
		{ 10, false, { 0, 1 } },
		{ 73, false, { 0, UINT64_C(1) << 63 } },
		{ 74, false, { 0, 0, 1 } },
		{ 138, false, { 0, 0, 0, 1 } },
		{ 139, true, { 0 } },
		{ 200, true, { 0 } },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(one) / sizeof(*one); i++) {
		/* 129 pages from page 10 on; the first and last word are not its. */
		uint64_t words[5] = { 0 };
		struct s2_dirty_log few = { s2_ipa(GIB + 10 * PAGE), 129 * PAGE,
					    words + 1, false };
		struct s2_op op = { .dirty = &few };

		open_log(FEATURES);
		bed_map(&bed, GIB + one[i].page * PAGE, 4 * GIB, PAGE, DBM, 0);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 2 * MIB, 0, &op), 0);
		assert_int_equal(few.missed, one[i].missed);
		assert_memory_equal(words, one[i].word, sizeof(words));
		close_bed();
	}
}

static void a_replacing_map_loses_no_dirty_state(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	/* Pages by pages, pages by a block, a block by pages. */
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, CLEAN, S2_MAP_PAGES);
	assert_true(guest_writes(GIB + 9 * PAGE));
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 2 * MIB, CLEAN,
				S2_MAP_REPLACE | S2_MAP_PAGES, &op),
			 0);
	assert_true(in_log(GIB + 9 * PAGE));
	assert_int_equal(logged(), 1);
	assert_true(guest_writes(GIB + 11 * PAGE));
	watch_call(&watcher);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 2 * MIB, CLEAN,
				S2_MAP_REPLACE, &op),
			 0);
	watch_return(&watcher);
	assert_true(in_log(GIB + 11 * PAGE));
	assert_int_equal(logged(), 1);
	assert_true(guest_writes(GIB));
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(16 * GIB), 2 * MIB, CLEAN,
				S2_MAP_REPLACE | S2_MAP_PAGES, &op),
			 0);
	assert_int_equal(logged(), 512);
	close_bed();
}

/*
 * Every page is written at the worst moment. Each step within its budgets, and nothing
 * is reported twice: the leaves that the map makes begin clean, and are not written.
 */
static void in_steps_none_is_lost(uint32_t features, unsigned level, bool replace)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN,
			    .max_bytes = S2_BUDGET_BYTES_MIN,
			    .dirty = &dirty };
	unsigned steps = 0, pages = 0;
	int ret;

	open_log(FEATURES | features);
	bed_map_leaves(&bed, GIB, 4 * GIB, 8 * MIB, (int)level, CLEAN);
	watcher.also = write_before_the_swap;
	do {
		watch_call(&watcher);
		if (replace)
			ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 8 * MIB, S2_R,
				     S2_MAP_REPLACE | (level == 2 ? S2_MAP_PAGES : 0),
				     &op);
		else
			ret = s2_unmap(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, &op);
		watch_return(&watcher);
		assert_true(op.visited <= op.max_entries);
		assert_true(op.cleaned <= op.max_bytes);
		pages += logged();
		steps++;
	} while (ret == S2_MORE);
	watcher.also = NULL;
	assert_int_equal(ret, 0);
	/* Four blocks that need no clean are one step's work. */
	assert_true(steps > 3 || (level == 2 && features & S2_FEAT_FWB && !replace));
	assert_int_equal(pages, 2048);
	assert_false(dirty.missed);
	close_bed();
}

static void steps_lose_no_dirty_state(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		in_steps_none_is_lost(i & 1 ? S2_FEAT_FWB : 0, i & 2 ? 2 : 3, i & 4);
}

/* A fault on a page that is there: what hardware has seen stays seen. */
static void the_same_map_again_keeps_the_dirty_state(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, PAGE, CLEAN, 0);
	assert_true(guest_writes(GIB));
	bed_cost(&bed);
	bed_map(&bed, GIB, 4 * GIB, PAGE, CLEAN, 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, DBM);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	/* Without DBM it is asked to go, and is told. */
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), PAGE, S2_R, 0, &op),
			 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, S2_R);
	assert_int_equal(logged(), 1);
	close_bed();
}

static void write_protection_holds_against_hardware(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 2 * PAGE, CLEAN, 0);
	assert_true(guest_writes(GIB + PAGE));
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), 2 * PAGE, 0, &op), 0);
	assert_true(in_log(GIB + PAGE));
	assert_int_equal(logged(), 1);
	assert_false(guest_writes(GIB));
	assert_false(guest_writes(GIB + PAGE));
	assert_int_equal(bed_lookup(&bed, GIB + PAGE).attr, S2_R);
	close_bed();
}

static void a_destroy_harvests_too(void **state)
{
	struct s2_op op = { .dirty = &dirty };

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 16 * MIB, CLEAN, S2_MAP_PAGES);
	assert_true(guest_writes(GIB + 8 * MIB));
	assert_int_equal(s2_destroy(&bed.s2, 0, &op), 0);
	assert_int_equal(logged(), 1);
	bed_close(&bed);
}

/* ---- bad input ---------------- */

static void bad_input_is_refused(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op shared = { .dirty = &dirty, .limbo = &limbo };
	struct s2_op op = { .dirty = &dirty };
	struct s2_dirty_log bad = dirty;
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_log(FEATURES);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, DBM, S2_MAP_PAGES);
	bed_cost(&bed);
	assert_int_equal(collect(GIB, PAGE + 1, 0), S2_E_ALIGN);
	assert_int_equal(collect(GIB, 0, 0), S2_E_SIZE);
	assert_int_equal(collect(GIB, PAGE, S2_NO_CLEAN), S2_E_FLAGS);
	assert_int_equal(collect(GIB - PAGE, PAGE, 0), S2_E_IPA_RANGE);
	assert_int_equal(collect(GIB, (LOG_PAGES + 1) * PAGE, S2_CLEAR), S2_E_IPA_RANGE);
	assert_int_equal(s2_dirty(s2, s2_ipa(GIB), PAGE, 0, NULL, NULL), S2_E_SIZE);
	bad = dirty;
	bad.bits = NULL;
	assert_int_equal(s2_dirty(s2, s2_ipa(GIB), PAGE, 0, &bad, NULL), S2_E_SIZE);
	bad = dirty;
	bad.size = 0;
	assert_int_equal(s2_dirty(s2, s2_ipa(GIB), PAGE, 0, &bad, NULL), S2_E_SIZE);
	bad.size = PAGE / 2;
	op.dirty = &bad;
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB), PAGE, 0, &op), S2_E_ALIGN);
	/* Beside others a table is detached whole. */
	assert_int_equal(s2_map(s2, s2_ipa(GIB), s2_pa(8 * GIB), 2 * MIB, RW,
				S2_MAP_REPLACE | S2_SHARED, &shared),
			 S2_E_FLAGS);
	assert_int_equal(s2_unmap(s2, s2_ipa(GIB), 2 * MIB, S2_SHARED, &shared),
			 S2_E_FLAGS);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(logged(), 0);
	assert_int_equal(collect(GIB, 2 * MIB, 0), 0);
	assert_int_equal(logged(), 512);
	close_bed();

	/* An instance that keeps no such state must not look clean. */
	open_log(S2_FEAT_HAFDBS);
	assert_int_equal(collect(GIB, PAGE, 0), S2_E_UNSUPPORTED);
	/* What is wrong with the call itself is said first. */
	assert_int_equal(collect(GIB, 0, 0), S2_E_SIZE);
	assert_int_equal(collect(GIB, PAGE, S2_NO_CLEAN), S2_E_FLAGS);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(GIB), PAGE, DBM, 0, NULL),
			 S2_E_ATTR);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_reported),
		cmocka_unit_test(what_is_cleared_is_recorded_again),
		cmocka_unit_test(a_dirty_block_is_all_of_its_pages),
		cmocka_unit_test(pages_that_get_dbm_begin_as_they_are_asked),
		cmocka_unit_test(a_block_beyond_the_log_stays_dirty),
		cmocka_unit_test(a_budget_loses_nothing),
		cmocka_unit_test(a_write_before_the_break_is_harvested),
		cmocka_unit_test(a_write_before_a_change_is_kept),
		cmocka_unit_test(a_write_before_the_split_goes_to_every_page),
		cmocka_unit_test(an_unmap_loses_no_dirty_state),
		cmocka_unit_test(only_tables_with_such_leaves_are_read),
		cmocka_unit_test(pages_of_a_split_block_are_harvested),
		cmocka_unit_test(a_dropped_block_beyond_the_log_is_reported),
		cmocka_unit_test(what_lies_outside_the_log_is_missed),
		cmocka_unit_test(a_replacing_map_loses_no_dirty_state),
		cmocka_unit_test(steps_lose_no_dirty_state),
		cmocka_unit_test(the_same_map_again_keeps_the_dirty_state),
		cmocka_unit_test(write_protection_holds_against_hardware),
		cmocka_unit_test(a_destroy_harvests_too),
		cmocka_unit_test(bad_input_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
