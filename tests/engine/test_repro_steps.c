/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Exclusive operations in steps, with another exclusive call between two of the steps, or
 * with another budget from one step on. Every step is tried as the place.
 */
#include "bed.h"
#include "desc.h"

#define A GIB
#define BLOCK (2 * MIB)
#define PA0 (4 * GIB)
#define PA1 (8 * GIB)
#define STEPS 100000u

static struct bed bed;

/* What has been done to the memory from @base on, by page; times count events. */
static struct {
	uint64_t base, now;
	uint64_t cleaned[4096], executable[4096], gone[4096];
	uint64_t bytes, beyond; /* cleaned at all, and outside [base, base + size) */
	uint64_t size;
	unsigned freed;
	bool judge;
} memory;

static void on_event(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	(void)port;
	memory.now++;
	memory.freed += what == COUNT_FREE;
	if (what != COUNT_CLEAN && what != COUNT_EXECUTABLE)
		return;
	if (what == COUNT_CLEAN)
		memory.bytes += value;
	for (; value; value -= PAGE, at += PAGE) {
		if (at < memory.base || at >= memory.base + memory.size) {
			memory.beyond += PAGE;
			continue;
		}
		if (memory.size > 4096 * PAGE)
			continue;
		if (what == COUNT_CLEAN)
			memory.cleaned[(at - memory.base) / PAGE] = memory.now;
		else
			memory.executable[(at - memory.base) / PAGE] = memory.now;
	}
}

/* A page may be executed from now on: was it made so since the hypervisor had it? */
static void on_write(struct count_port *port, uint64_t at, uint64_t old, uint64_t new)
{
	uint64_t page = (desc_oa(&bed.s2, new) - memory.base) / PAGE;

	(void)port;
	(void)at;
	if (!memory.judge || !desc_valid_leaf(new, LAST_LEVEL) ||
	    !(desc_exec(new) & ~(desc_valid(old) ? desc_exec(old) : 0)))
		return;
	if (desc_oa(&bed.s2, new) < memory.base || page >= 4096)
		return;
	if (memory.executable[page] <= memory.gone[page] ||
	    (!desc_valid(old) && memory.cleaned[page] <= memory.gone[page]))
		fail_msg("page %" PRIu64 " can be executed, and was last made so before "
			 "the hypervisor had it",
			 page);
}

static void open_bed(uint32_t features, uint32_t tables, uint64_t base, uint64_t size)
{
	memset(&memory, 0, sizeof(memory));
	memory.base = base;
	memory.size = size;
	bed_open(&bed, 40, features, tables);
	bed.port.record = on_event;
	bed.port.wrote = on_write;
}

static void close_bed(void)
{
	bed.port.record = NULL;
	bed.port.wrote = NULL;
	bed_check(&bed);
	bed_close(&bed);
}

static void within(const struct s2_op *op)
{
	assert_true(!op->max_entries || op->visited <= op->max_entries);
	assert_true(!op->max_bytes || op->cleaned <= op->max_bytes);
}

static int map_step(struct s2_op *op, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	int ret = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA0), size, attr, flags, op);

	within(op);
	return ret;
}

static int unmap_step(struct s2_op *op, uint64_t size, uint32_t flags)
{
	int ret = s2_unmap(&bed.s2, s2_ipa(A), size, flags, op);

	within(op);
	return ret;
}

/* ---- another budget ---------------------------------------------------------------- */

static void a_budget_may_become_smaller_between_steps(void **state)
{
	static const struct {
		uint32_t entries;
		uint64_t bytes;
	} budget[] = {
		{ 4096, S2_BUDGET_BYTES_MIN },
		{ 0, S2_BUDGET_BYTES_MIN },
		{ 4096, 0 },
		{ 4096, 8 * MIB },
		{ 512, S2_BUDGET_BYTES_MIN },
	};
	static const unsigned at[] = { 1, 2, 3, 7, 20, 50 };
	const uint64_t size = 128 * MIB;

	(void)state;
	for (unsigned i = 0; i < 5 * 5 * 6 * 2; i++) {
		unsigned from = i % 5, to = i / 5 % 5, when = at[i / 25 % 6], step = 0;
		uint32_t flags = i / 150 ? S2_MAP_PAGES : 0;
		struct s2_op op = { .max_entries = budget[from].entries,
				    .max_bytes = budget[from].bytes };
		int ret;

		open_bed(S2_FEAT_TLBIRANGE, 100, PA0, size);
		do {
			if (step == when) {
				op.max_entries = budget[to].entries;
				op.max_bytes = budget[to].bytes;
			}
			ret = map_step(&op, size, RW, flags);
			assert_true(++step < STEPS);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_true(memory.beyond == 0);
		assert_true(memory.bytes == size);
		for (uint64_t p = 0; p < size; p += PAGE)
			assert_true(bed_lookup(&bed, A + p).state == S2_LEAF);
		close_bed();
	}
}

static void what_may_change_between_steps_and_what_not(void **state)
{
	uint64_t bits[64] = { 0 };
	struct s2_dirty_log log = { .ipa = { A }, .size = 16 * MIB, .bits = bits };
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .max_entries = 512, .max_bytes = S2_BUDGET_BYTES_MIN };

	(void)state;
	open_bed(S2_FEAT_TLBIRANGE, 100, PA0, 16 * MIB);
	bed_map(&bed, A, PA0, 16 * MIB, RW, S2_NO_CLEAN);
	assert_int_equal(unmap_step(&op, 16 * MIB, 0), S2_MORE);
	op.limbo = &limbo;
	assert_int_equal(unmap_step(&op, 16 * MIB, 0), S2_E_RESUME);
	op.limbo = NULL;
	op.dirty = &log;
	assert_int_equal(unmap_step(&op, 16 * MIB, 0), S2_E_RESUME);
	op.dirty = NULL;
	assert_int_equal(unmap_step(&op, 16 * MIB, S2_NO_CLEAN), S2_E_RESUME);
	assert_int_equal(unmap_step(&op, 8 * MIB, 0), S2_E_RESUME);
	/* The op is where it was. */
	op.max_entries = 0;
	op.cookie = &log;
	assert_int_equal(unmap_step(&op, 16 * MIB, 0), S2_MORE);
	op.max_bytes = 0;
	assert_int_equal(unmap_step(&op, 16 * MIB, 0), 0);
	assert_true(memory.bytes == 16 * MIB && !memory.beyond);
	close_bed();
}

/* ---- maps and other calls ---------------------------------------------------------- */

/*
 * A block that lies over what has been replaced and what is to come. When the map says 0
 * no page of its range is a hole: each has the map's frame or, where the map had been
 * before, that of the block.
 */
static void a_block_over_the_finished_part_leaves_no_hole(void **state)
{
	static const uint32_t flags[] = { S2_SPLIT_EDGES, S2_DROP_EDGES, 0 };
	const uint64_t size = 2 * BLOCK;

	(void)state;
	for (unsigned i = 0; i < 3 * 2; i++) {
		uint32_t how = S2_MAP_PAGES | S2_MAP_REPLACE | flags[i % 3];
		unsigned when, step;

		for (when = 1;; when++) {
			struct s2_op op = { .max_entries = 512 };
			uint64_t done = 0;
			int ret;

			open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE, 100, PA0, size);
			if (i / 3)
				bed_map(&bed, A, PA1 + size, size, RW, S2_MAP_PAGES);
			step = 0;
			do {
				if (step == when) {
					done = op.done.ipa;
					bed_map(&bed, A, PA1, BLOCK, RW, S2_MAP_REPLACE);
				}
				ret = map_step(&op, size, RW, how);
				assert_true(++step < STEPS);
			} while (ret == S2_MORE);
			assert_true(!ret || (!flags[i % 3] && ret == S2_E_BLOCK));
			for (uint64_t p = 0; !ret && p < size; p += PAGE) {
				struct s2_mapping m = bed_lookup(&bed, A + p);
				uint64_t pa = m.pa.pa + (A + p - m.ipa.ipa);

				assert_int_equal(m.state, S2_LEAF);
				assert_true(pa == PA0 + p ||
					    (A + p < done && pa == PA1 + p));
			}
			close_bed();
			if (step <= when)
				break;
		}
		assert_true(when > 2);
	}
}

/*
 * The same with a block that is the only leaf of its table, and no table page for the
 * step that would make its pages again: the table does not stay, with nothing in it.
 */
static void a_map_that_fails_in_a_later_step_leaves_no_empty_table(void **state)
{
	const uint64_t size = 2 * BLOCK;
	struct s2_limbo limbo = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct s2_op op = { .max_entries = 512, .limbo = i & 1 ? &limbo : NULL };
		uint32_t how = S2_MAP_PAGES | S2_MAP_REPLACE | S2_DROP_EDGES;

		open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE, 100, PA0, size);
		assert_int_equal(map_step(&op, size, RW, how), S2_MORE);
		assert_true(op.done.ipa < A + BLOCK);
		bed_map(&bed, A, PA1, BLOCK, RW, S2_MAP_REPLACE);
		/* The block goes whole. */
		assert_int_equal(map_step(&op, size, RW, how), S2_MORE);
		assert_int_equal(bed_lookup(&bed, A).state, S2_EMPTY);
		/* With the budget of the steps before, or with none. */
		op.max_entries = i & 2 ? 0 : 512;
		bed.port.fail_after = 0;
		assert_int_equal(map_step(&op, size, RW, how), S2_E_NOMEM);
		bed.port.fail_after = -1;
		assert_true(i & 2 || op.visited <= op.max_entries);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		bed_check(&bed);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/*
 * A step cleans what the old leaves had, and has no bytes left to make the new ones in
 * their table. The next step has a table to take, and there is none.
 */
static void a_table_that_a_step_has_cleared_does_not_stay_empty(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	uint32_t how = S2_MAP_PAGES | S2_MAP_REPLACE;

	(void)state;
	open_bed(0, 100, PA0, BLOCK);
	bed_map(&bed, A, PA1, BLOCK, RW, S2_MAP_PAGES);
	assert_int_equal(map_step(&op, 2 * BLOCK, RW, how), S2_MORE);
	assert_int_equal(bed_lookup(&bed, A).state, S2_EMPTY);
	assert_int_not_equal(bed_tables(&bed), 0);
	op.max_bytes = 0;
	bed.port.fail_after = 0;
	assert_int_equal(map_step(&op, 2 * BLOCK, RW, how), S2_E_NOMEM);
	bed.port.fail_after = -1;
	assert_int_equal(bed_tables(&bed), 0);
	close_bed();
}

/*
 * Permissions of a range in steps. Between two of them a page of it is unmapped, and is
 * the hypervisor's to write; where the map makes it valid again it is clean first.
 */
static void a_page_is_executable_only_if_it_was_made_so(void **state)
{
	static const uint64_t page[] = { 0, 1, 255, 511, 512, 900, 1023 };
	const uint64_t size = 2 * BLOCK;

	(void)state;
	for (unsigned i = 0; i < 7 * 3 * 2; i++) {
		uint64_t at = page[i % 7];
		uint32_t flags = i / 21 ? S2_MAP_PAGES : 0, unmap = S2_DROP_EDGES;

		for (unsigned when = 0, step = 1; step > when; when++) {
			struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
			int ret;

			/* By entries, by bytes, by both. */
			if (i / 7 % 3)
				op.max_entries = 512;
			if (i / 7 % 3 == 1)
				op.max_bytes = 0;
			open_bed(0, 100, PA0, size);
			bed_map(&bed, A, PA0, size, RW, flags | S2_NO_CLEAN);
			memory.judge = true;
			step = 0;
			do {
				if (step == when) {
					uint64_t whole = flags ? PAGE : BLOCK;

					bed_unmap(&bed, A + at * PAGE, PAGE, unmap);
					for (uint64_t p = at * PAGE & ~(whole - 1), n = 0;
					     n < whole; n += PAGE)
						memory.gone[(p + n) / PAGE] = memory.now;
				}
				ret = map_step(&op, size, RWX, flags | S2_MAP_REPLACE);
				assert_true(++step < STEPS);
			} while (ret == S2_MORE);
			assert_int_equal(ret, 0);
			close_bed();
		}
	}
}

/* Every write of new memory: cleaned, and only after the old entry was invalidated. */
static uint64_t watched_frame;
static bool too_early;

static void clean_of_the_frame(struct count_port *port, enum count_event what,
			       uint64_t at, uint64_t value)
{
	on_event(port, what, at, value);
	if (what != COUNT_CLEAN || watched_frame < at || watched_frame >= at + value)
		return;
	port->record = NULL;
	for (uint64_t p = 0; p < 2 * BLOCK; p += PAGE) {
		struct s2_mapping m = bed_lookup(&bed, A + p);

		if (m.state == S2_LEAF && m.pa.pa + (A + p - m.ipa.ipa) == watched_frame)
			too_early = true;
	}
	port->record = clean_of_the_frame;
}

/*
 * A frame of the range that is mapped there already, by another page of it or by the same
 * with another type: it is cleaned for its new place when the old one cannot be used any
 * more, or the guest would go on writing to it through that.
 */
static void new_memory_is_cleaned_when_its_old_place_is_gone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 2 * 2 * 2; i++) {
		bool pages = i & 1, shared = i & 2, moved = i & 4, steps = i & 8;
		uint64_t frame = PA0 + (moved ? BLOCK : 0);
		struct s2_limbo limbo = { 0 };
		struct s2_op op = { .limbo = shared ? &limbo : NULL };
		int ret;

		if (shared && steps)
			continue;
		if (steps) {
			op.max_entries = 512;
			op.max_bytes = S2_BUDGET_BYTES_MIN;
		}
		open_bed(S2_FEAT_FWB, 100, PA0, 2 * BLOCK);
		bed_map(&bed, A, frame, BLOCK, RW, pages ? S2_MAP_PAGES : 0);
		bed_map(&bed, A + BLOCK, 2 * PA0 - frame + BLOCK, BLOCK, RW, 0);
		watched_frame = frame;
		too_early = false;
		bed.port.record = clean_of_the_frame;
		do {
			ret = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA0), 2 * BLOCK,
				     RW | S2_MEM_NC,
				     S2_MAP_REPLACE | (pages ? S2_MAP_PAGES : 0) |
					     (shared ? S2_SHARED : 0),
				     &op);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		/* In steps the second block's step comes when the first has gone on. */
		assert_true(memory.bytes >= 2 * BLOCK);
		assert_false(too_early && !(steps && moved));
		bed.port.record = on_event;
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		close_bed();
	}
}

/* ---- a leaf that is cleaned in steps ----------------------------------------------- */

/* Geometries with blocks of more than the smallest byte budget. */
static const struct {
	struct s2_config cfg;
	uint64_t block, table; /* what the table that holds it translates */
} large[] = {
	{ { .ipa_bits = 48, .pa_bits = 48, .granule_shift = 12 }, GIB, 512 * GIB },
	{ { .ipa_bits = 41, .pa_bits = 48, .granule_shift = 14 }, 32 * MIB, 64 * GIB },
	{ { .ipa_bits = 47, .pa_bits = 48, .granule_shift = 16 }, 512 * MIB, 4096 * GIB },
};

static void open_large(unsigned i)
{
	memset(&memory, 0, sizeof(memory));
	memory.base = large[i].block;
	memory.size = large[i].block;
	bed_open_as(&bed, large[i].cfg, 64);
	bed_map(&bed, 0, large[i].block, large[i].block, RW, S2_NO_CLEAN);
	bed_map(&bed, large[i].block * 3, large[i].block * 5, large[i].block, RW,
		S2_NO_CLEAN);
	bed.port.record = on_event;
}

/* On from the first step, which has left a block half clean. */
static void finish_unmap(struct s2_op *op, uint64_t size, unsigned i)
{
	int ret;

	do {
		ret = s2_unmap(&bed.s2, s2_ipa(0), size, 0, op);
		within(op);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(memory.bytes - memory.beyond == large[i].block);
}

static int begin_unmap(struct s2_op *op, uint64_t size)
{
	*op = (struct s2_op){ .max_bytes = S2_BUDGET_BYTES_MIN };
	return s2_unmap(&bed.s2, s2_ipa(0), size, 0, op);
}

/*
 * The rest of the table goes by a call that waives the clean, and the table with it:
 * what the first has still to clean is clean when both have returned 0.
 */
static void a_call_that_waives_takes_nobody_elses_clean_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned whole = 0; whole < 2; whole++) {
			uint64_t from = whole ? 0 : large[i].block;
			struct s2_op op;

			open_large(i);
			assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(from),
						  large[i].table - from, S2_NO_CLEAN,
						  NULL),
					 0);
			/* Whole: 0 says that the range is empty, so nothing is left. */
			if (whole)
				assert_true(bed_lookup(&bed, 0).state == S2_EMPTY);
			finish_unmap(&op, large[i].block, i);
			assert_true(memory.beyond == 0);
			close_bed();
		}
}

/*
 * The same in steps, each within its budget: no clean stops where nobody finds it again.
 */
static void a_call_that_waives_in_steps_takes_nobody_elses_clean_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned whole = 0; whole < 2; whole++) {
			uint64_t from = whole ? 0 : large[i].block;
			struct s2_op op, op2 = { .max_entries = 512,
						 .max_bytes = 2 * S2_BUDGET_BYTES_MIN };
			unsigned steps = 0;
			int ret;

			open_large(i);
			assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
			do {
				ret = s2_unmap(&bed.s2, s2_ipa(from),
					       large[i].table - from, S2_NO_CLEAN, &op2);
				within(&op2);
				assert_true(++steps < STEPS);
			} while (ret == S2_MORE);
			assert_int_equal(ret, 0);
			finish_unmap(&op, large[i].block, i);
			assert_true(memory.beyond == 0);
			close_bed();
		}
}

/* What ends an operation early comes when no leaf of it is half clean. */
static void an_error_between_steps_leaves_no_leaf_half_clean(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * 2; i++) {
		uint64_t block = large[i % 3].block;
		uint64_t page = UINT64_C(1) << large[i % 3].cfg.granule_shift;
		struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
		unsigned steps = 0;
		int ret;

		open_large(i % 3);
		do {
			if (i < 3) {
				ret = s2_unmap(&bed.s2, s2_ipa(0), block + page, 0, &op);
			} else {
				bed.port.fail_after = steps ? 0 : -1;
				ret = s2_map(&bed.s2, s2_ipa(0), s2_pa(7 * block), block,
					     RW, S2_MAP_REPLACE | S2_MAP_PAGES, &op);
			}
			within(&op);
			/* A block across the end of the range. */
			if (!steps++ && i < 3)
				bed_map(&bed, block, 9 * block, block, RW, S2_NO_CLEAN);
			assert_true(steps < STEPS);
		} while (ret == S2_MORE);
		bed.port.fail_after = -1;
		assert_int_equal(ret, i < 3 ? S2_E_BLOCK : S2_E_NOMEM);
		assert_true(steps > 2);
		assert_int_equal(bed_lookup(&bed, 0).state, S2_EMPTY);
		assert_true(memory.bytes - memory.beyond == block);
		close_bed();
	}
}

static void a_map_that_waives_takes_nobody_elses_clean_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op op;

		open_large(i);
		assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(0), s2_pa(7 * large[i].block),
					large[i].block, RW, S2_MAP_REPLACE | S2_NO_CLEAN,
					NULL),
				 0);
		/* All of the old block, before the new one was put there. */
		assert_true(memory.bytes - memory.beyond == large[i].block);
		finish_unmap(&op, large[i].block, i);
		close_bed();
	}
}

static void destroy_cleans_what_another_has_begun(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op op;

		open_large(i);
		assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
		assert_int_equal(s2_destroy(&bed.s2, S2_NO_CLEAN, NULL), 0);
		assert_true(memory.bytes - memory.beyond == large[i].block);
		assert_true(memory.beyond == 0);
		bed_close(&bed);
	}
}

/* Two of them, each half way through the same block. */
static void two_unmaps_in_steps_of_one_block(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op op, op2;
		int ret;

		open_large(i);
		assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
		assert_int_equal(begin_unmap(&op2, large[i].block * 4), S2_MORE);
		do
			ret = s2_unmap(&bed.s2, s2_ipa(0), 4 * large[i].block, 0, &op2);
		while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		finish_unmap(&op, large[i].block, i);
		assert_true(memory.bytes == 2 * large[i].block);
		close_bed();
	}
}

/* The first map with S2_MAP_CONT changes what calls may be made, not what is begun. */
static void an_operation_under_way_goes_on_beside_the_first_run(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_limbo limbo = { 0 };
		struct s2_op op, shared = { .limbo = &limbo };

		open_large(i);
		assert_int_equal(begin_unmap(&op, large[i].block), S2_MORE);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(large[i].table),
					s2_pa(9 * large[i].block), 32 * MIB, RW,
					S2_MAP_CONT | S2_MAP_PAGES | S2_NO_CLEAN, NULL),
				 0);
		/* Nothing is left behind by a call that is refused. */
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(0), large[i].block, S2_SHARED,
					  &shared),
				 S2_E_FLAGS);
		assert_int_equal(bed.s2.tags, 1);
		finish_unmap(&op, large[i].block, i);
		close_bed();
	}
}

/* A shared call keeps nothing in its op that a run could take from it. */
static void a_shared_call_has_no_budget_and_keeps_nothing(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_survey found;
	bool young = false;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct s2_op op = { .limbo = &limbo,
				    .max_entries = i & 1 ? 0 : 4096,
				    .max_bytes = i ? 8 * MIB : 0 };
		struct s2 *s = &bed.s2;

		open_bed(0, 100, PA0, 16 * MIB);
		bed_map(&bed, A, PA0, 16 * MIB, RW, S2_NO_CLEAN);
#define SHARED_CALL(call) assert_int_equal(call, S2_E_BUDGET)
		SHARED_CALL(s2_unmap(s, s2_ipa(A), BLOCK, S2_SHARED, &op));
		SHARED_CALL(s2_map(s, s2_ipa(A), s2_pa(PA1), BLOCK, RW,
				   S2_SHARED | S2_MAP_REPLACE, &op));
		SHARED_CALL(s2_wrprotect(s, s2_ipa(A), BLOCK, S2_SHARED, &op));
		SHARED_CALL(s2_age(s, s2_ipa(A), BLOCK, S2_SHARED, &young, &op));
		SHARED_CALL(s2_split(s, s2_ipa(A), BLOCK, S2_SHARED, &op));
		SHARED_CALL(s2_collapse(s, s2_ipa(A), BLOCK, S2_SHARED, &op));
		SHARED_CALL(s2_clean(s, s2_ipa(A), BLOCK, S2_SHARED, &op));
		SHARED_CALL(s2_survey(s, s2_ipa(A), BLOCK, S2_SHARED, &found, &op));
#undef SHARED_CALL
		assert_int_equal(op.st.kind, 0);
		assert_true(bed_lookup(&bed, A).level == 2);
		assert_int_equal(bed.s2.tags, 1);
		close_bed();
	}
}

/* ---- release ----------------------------------------------------------------------- */

static void release_counts_a_table_as_a_visit(void **state)
{
	const uint64_t tables = 2000;

	(void)state;
	/*
	 * Each on its own in limbo; and below a table of theirs, with and without pages.
	 */
	for (unsigned how = 0; how < 3; how++) {
		struct s2_limbo limbo = { 0 };
		struct s2_op op = { .limbo = &limbo },
			     rel = { .max_entries = S2_BUDGET_ENTRIES_MIN };
		uint64_t size = tables * BLOCK;
		unsigned steps = 0, before;
		int ret;

		open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE, tables + 20, PA0, size);
		for (uint64_t at = 0; at < size; at += BLOCK)
			bed_map(&bed, A + at, PA0 + at, how == 2 ? BLOCK : PAGE, RW,
				S2_MAP_PAGES);
		for (uint64_t at = 0; !how && at < size; at += BLOCK)
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(A + at), PAGE, 0, &op),
					 0);
		if (how)
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(A), size, 0, &op), 0);
		do {
			before = memory.freed;
			ret = s2_release(&bed.s2, &limbo, &rel);
			assert_true(rel.visited <= rel.max_entries);
			assert_true(memory.freed - before <= rel.max_entries);
			assert_true(++steps < STEPS);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_true(memory.freed >= tables && steps >= tables / 512);
		assert_int_equal(bed_tables(&bed), 0);
		close_bed();
	}
}

/*
 * The end of a clean detaches a table, and then the operation ends with an error: a
 * block has come across its edge, or there is no table. What was detached is freed all
 * the same.
 */
static void an_error_after_a_parked_leaf_leaves_no_table(void **state)
{
	const uint64_t table = 512 * GIB;

	(void)state;
	for (unsigned map = 0; map < 2; map++) {
		struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
		int ret, steps = 0;

		bed_open(&bed, 44, 0, 16);
		bed_map(&bed, 0, PA0, GIB, RW, 0);
		do {
			ret = map ? s2_map(&bed.s2, s2_ipa(0), s2_pa(PA1), GIB, RW,
					   S2_MAP_REPLACE, &op) :
				    s2_unmap(&bed.s2, s2_ipa(0), table + MIB, 0, &op);
			if (!steps++ && !map)
				bed_map(&bed, table, PA1, GIB, RW, 0);
			bed.port.fail_after = 0;
		} while (ret == S2_MORE);
		bed.port.fail_after = -1;
		assert_true(steps > 1);
		assert_int_equal(ret, map ? S2_E_NOMEM : S2_E_BLOCK);
		bed_check(&bed);
		bed_close(&bed);
	}
}

/*
 * An unmap is left after a step, with an empty table below; a map takes that one away,
 * and with it the table that its own window ends in. Then a leaf of the size of that
 * table is larger than the window.
 */
static void a_stepped_map_makes_no_leaf_beyond_its_window(void **state)
{
	const uint64_t to = 2 * GIB;
	unsigned steps = 0;

	(void)state;
	for (uint64_t n = S2_BUDGET_ENTRIES_MIN; n < 1024; n += 8) {
		struct s2_op op = { .max_entries = n }, map = { .max_entries = 688 };
		int ret;

		bed_open(&bed, 40, S2_FEAT_FWB, 16);
		bed_map(&bed, to + 2 * MIB, 4 * GIB, 32 * PAGE, RW, S2_MAP_PAGES);
		s2_unmap(&bed.s2, s2_ipa(to - 64 * PAGE), 4 * MIB, 0, &op);
		do {
			ret = s2_map(&bed.s2, s2_ipa(to), s2_pa(8 * GIB), 2 * GIB, RW,
				     S2_MAP_NEW, &map);
			if (ret != S2_MORE)
				continue;
			assert_int_equal(bed_lookup(&bed, map.done.ipa).state, S2_EMPTY);
			steps++;
		} while (ret == S2_MORE);
		assert_true(!ret || ret == S2_E_EXIST);
		bed_close(&bed);
	}
	assert_true(steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_may_become_smaller_between_steps),
		cmocka_unit_test(what_may_change_between_steps_and_what_not),
		cmocka_unit_test(a_block_over_the_finished_part_leaves_no_hole),
		cmocka_unit_test(a_map_that_fails_in_a_later_step_leaves_no_empty_table),
		cmocka_unit_test(a_table_that_a_step_has_cleared_does_not_stay_empty),
		cmocka_unit_test(a_page_is_executable_only_if_it_was_made_so),
		cmocka_unit_test(new_memory_is_cleaned_when_its_old_place_is_gone),
		cmocka_unit_test(a_call_that_waives_takes_nobody_elses_clean_away),
		cmocka_unit_test(
			a_call_that_waives_in_steps_takes_nobody_elses_clean_away),
		cmocka_unit_test(an_error_between_steps_leaves_no_leaf_half_clean),
		cmocka_unit_test(an_error_after_a_parked_leaf_leaves_no_table),
		cmocka_unit_test(a_map_that_waives_takes_nobody_elses_clean_away),
		cmocka_unit_test(destroy_cleans_what_another_has_begun),
		cmocka_unit_test(two_unmaps_in_steps_of_one_block),
		cmocka_unit_test(an_operation_under_way_goes_on_beside_the_first_run),
		cmocka_unit_test(a_shared_call_has_no_budget_and_keeps_nothing),
		cmocka_unit_test(release_counts_a_table_as_a_visit),
		cmocka_unit_test(a_stepped_map_makes_no_leaf_beyond_its_window),
	};

	return cmocka_run_group_tests_name("repro-steps", tests, NULL, NULL);
}
