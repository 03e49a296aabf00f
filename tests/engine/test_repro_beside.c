/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two shared calls, the second at every event of the first (beside.h). What one order of
 * the two allows is right; what is lost, left behind or not clean is not.
 */
#include "beside.h"
#include "meta.h"
#include "desc.h"

#define A GIB
#define BLOCK (2 * MIB)
#define PA0 (4 * GIB)
#define PA1 (8 * GIB)
#define TRIES 8

static struct bed bed;
static struct s2_limbo limbo, limbo_beside;
static int ret, ret_beside;

/* What the calls of one pair are, for the sweeps that differ in that only. */
static struct {
	uint64_t ipa, pa, size;
	uint32_t flags;
} other;

static void other_maps(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_map(&bed.s2, s2_ipa(other.ipa), s2_pa(other.pa), other.size, RW,
			    S2_SHARED | other.flags, &op);
}

static void other_unmaps(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_unmap(&bed.s2, s2_ipa(other.ipa), other.size,
			      S2_SHARED | other.flags, &op);
}

static void other_collapses(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_collapse(&bed.s2, s2_ipa(other.ipa), other.size, S2_SHARED, &op);
}

static void open_bed(uint32_t features)
{
	limbo = limbo_beside = (struct s2_limbo){ 0 };
	ret = ret_beside = 0;
	bed_open(&bed, 40, features, 64);
}

/* Nothing is left of either call: no tag, no marker, no table, and no empty one. */
static void close_bed(void)
{
	const char *what;
	uint64_t tables;

	beside_require(bed.s2.tags == 1, "tags in use: 0x%" PRIx64, bed.s2.tags);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	assert_int_equal(s2_release(&bed.s2, &limbo_beside, NULL), 0);
	what = meta_check(&bed.s2, &tables);
	beside_require(!what, "%s; the calls returned %d, %d", what, ret, ret_beside);
	assert_int_equal(tables, bed_tables(&bed));
	bed_close(&bed);
}

static int unmap_shared(uint64_t ipa, uint64_t size, uint32_t flags)
{
	struct s2_op op = { .limbo = &limbo };

	return s2_unmap(&bed.s2, s2_ipa(ipa), size, S2_SHARED | flags, &op);
}

static int map_shared(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
		      uint32_t flags)
{
	struct s2_op op = { .limbo = &limbo };

	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(pa), size, attr, S2_SHARED | flags,
		      &op);
}

static int split_shared(uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .limbo = &limbo };

	return s2_split(&bed.s2, s2_ipa(ipa), size, S2_SHARED, &op);
}

/* A call that had to wait for the other is made again, alone; it must come to an end. */
#define again(call)                                                               \
	do {                                                                      \
		for (int try_ = 0; ret == S2_MORE; try_++) {                      \
			beside_require(try_ < TRIES, "it waits for ever, alone"); \
			ret = (call);                                             \
		}                                                                 \
	} while (0)

static bool maps(uint64_t ipa, uint64_t pa)
{
	struct s2_mapping m = bed_lookup(&bed, ipa);

	return m.state == S2_LEAF && m.pa.pa + (ipa - m.ipa.ipa) == pa;
}

static bool empty(uint64_t ipa)
{
	return bed_lookup(&bed, ipa).state == S2_EMPTY;
}

/* ---- split ------------------------------------------------------------------------ */

/* The tables above are there, or come with the other call. */
static void a_split_beside_a_fault_leaves_no_block_and_no_marker(void **state)
{
	(void)state;
	for (int tables = 0; tables < 2; tables++) {
		other.ipa = A;
		other.pa = PA1;
		other.size = PAGE;
		other.flags = 0;
		for (beside_begin(other_maps); beside_next();) {
			open_bed(S2_FEAT_FWB);
			bed_map(&bed, A + BLOCK, PA0, BLOCK, RW, 0);
			if (tables)
				bed_map(&bed, A + 2 * BLOCK, PA0, PAGE, RW, 0);
			beside_arm(&bed);
			ret = split_shared(A, 2 * BLOCK);
			beside_disarm(&bed);
			again(split_shared(A, 2 * BLOCK));
			assert_int_equal(ret, 0);
			for (uint64_t at = 0; at < BLOCK; at += PAGE) {
				beside_require(maps(A + BLOCK + at, PA0 + at),
					       "a page of the block is lost");
				beside_require(bed_lookup(&bed, A + BLOCK + at).level ==
						       3,
					       "0 was returned and a block is left");
			}
			beside_require(!beside.acted || ret_beside || maps(A, PA1),
				       "the fault's page is lost");
			close_bed();
		}
	}
}

/*
 * A block that comes in before or behind the one that was counted: whatever was there
 * before the call is pages when it has returned 0.
 */
static void a_split_does_not_give_its_tables_to_another_block(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		uint64_t mine = A + first * BLOCK;

		other.ipa = A + !first * BLOCK;
		other.pa = PA1;
		other.size = BLOCK;
		other.flags = 0;
		for (beside_begin(other_maps); beside_next();) {
			open_bed(S2_FEAT_FWB);
			bed_map(&bed, mine, PA0, BLOCK, RW, 0);
			beside_arm(&bed);
			ret = split_shared(A, 2 * BLOCK);
			beside_disarm(&bed);
			again(split_shared(A, 2 * BLOCK));
			assert_int_equal(ret, 0);
			for (uint64_t at = 0; at < BLOCK; at += PAGE)
				beside_require(
					maps(mine + at, PA0 + at) &&
						bed_lookup(&bed, mine + at).level == 3,
					"0 was returned and a block is left");
			close_bed();
		}
	}
}

/* Two blocks whose first parts read the same; the larger one vanishes. */
static void the_table_built_for_one_block_is_not_linked_for_another(void **state)
{
	static const struct {
		unsigned granule, ipa_bits, pa_bits, level;
		uint32_t features;
	} shape[] = {
		{ 12, 48, 52, 0, S2_FEAT_LPA2 },
		{ 14, 48, 52, 1, S2_FEAT_LPA2 },
		{ 16, 48, 52, 1, 0 },
	};

	(void)state;
	for (unsigned s = 0; s < sizeof(shape) / sizeof(*shape); s++) {
		struct s2_config cfg = { .ipa_bits = (uint8_t)shape[s].ipa_bits,
					 .pa_bits = (uint8_t)shape[s].pa_bits,
					 .granule_shift = (uint8_t)shape[s].granule,
					 .features = shape[s].features | S2_FEAT_FWB };
		unsigned bits = shape[s].granule - 3;
		uint64_t small = UINT64_C(1)
				 << (shape[s].granule + bits * (3 - shape[s].level - 1));
		uint64_t large = small << bits, part = small >> bits;

		other.ipa = large;
		other.size = large;
		other.flags = 0;
		for (beside_begin(other_unmaps); beside_next();) {
			limbo = limbo_beside = (struct s2_limbo){ 0 };
			bed_open_as(&bed, cfg, 64);
			bed_map(&bed, large, large, large, RW, 0);
			bed_map(&bed, 2 * large, large, small, RW, 0);
			beside_arm(&bed);
			ret = split_shared(2 * large - part, 2 * part);
			beside_disarm(&bed);
			again(split_shared(2 * large - part, 2 * part));
			assert_int_equal(ret, 0);
			for (uint64_t at = 0; at < small; at += part)
				beside_require(maps(2 * large + at, large + at),
					       "a part of the block is at another place");
			close_bed();
		}
	}
}

/* ---- edges ------------------------------------------------------------------------- */

enum by { UNMAP, REPLACE };

/*
 * One page, beside a block that is put across it: everything but that page is mapped at
 * the end, or the call has refused and that page is, too.
 */
static void one_page_beside_a_block(enum by by, uint32_t flags, void (*act)(void))
{
	const uint64_t page = A + 5 * PAGE;

	other.ipa = A;
	other.pa = PA0;
	other.size = BLOCK;
	other.flags = S2_MAP_REPLACE;
	for (beside_begin(act); beside_next();) {
		uint64_t pages = 0;

		open_bed(S2_FEAT_FWB);
		if (act == other_collapses)
			bed_map(&bed, A, PA0, BLOCK, RW, S2_MAP_PAGES);
		else
			bed_map(&bed, page, PA0 + 5 * PAGE, PAGE, RW, S2_MAP_PAGES);
#define CALL                                             \
	(by == UNMAP ? unmap_shared(page, PAGE, flags) : \
		       map_shared(page, PA1, PAGE, RW, S2_MAP_REPLACE | flags))
		beside_arm(&bed);
		ret = CALL;
		beside_disarm(&bed);
		again(CALL);
#undef CALL
		beside_require(!ret || ret == S2_E_BLOCK || ret == S2_E_BUSY,
			       "it returns %d", ret);
		beside_require(!flags || ret != S2_E_BLOCK, "it may split, and refuses");
		for (uint64_t at = 0; at < BLOCK; at += PAGE)
			pages += maps(A + at, PA0 + at);
		if (act == other_collapses || (beside.acted && !ret_beside))
			beside_require(pages >= BLOCK / PAGE - 1,
				       "%" PRIu64 " pages outside the range are lost",
				       BLOCK / PAGE - 1 - pages);
		if (!beside.acted)
			assert_int_equal(ret, 0);
		close_bed();
	}
}

static void an_unmap_takes_no_block_that_crosses_its_edge(void **state)
{
	(void)state;
	one_page_beside_a_block(UNMAP, 0, other_maps);
	one_page_beside_a_block(UNMAP, S2_SPLIT_EDGES, other_maps);
	one_page_beside_a_block(UNMAP, 0, other_collapses);
	one_page_beside_a_block(UNMAP, S2_SPLIT_EDGES, other_collapses);
}

static void a_replacing_map_takes_no_block_that_crosses_its_edge(void **state)
{
	(void)state;
	one_page_beside_a_block(REPLACE, 0, other_maps);
	one_page_beside_a_block(REPLACE, S2_SPLIT_EDGES, other_maps);
	one_page_beside_a_block(REPLACE, 0, other_collapses);
	one_page_beside_a_block(REPLACE, S2_SPLIT_EDGES, other_collapses);
}

/* A range with an edge in each of two blocks, one of which comes while it is unmapped. */
static void both_edges_are_settled_on_what_is_broken(void **state)
{
	const uint64_t from = A + BLOCK - PAGE, size = 2 * PAGE;

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		other.ipa = A + which * BLOCK;
		other.pa = PA0 + which * BLOCK;
		other.size = BLOCK;
		other.flags = 0;
		for (beside_begin(other_maps); beside_next();) {
			open_bed(S2_FEAT_FWB);
			bed_map(&bed, A + !which * BLOCK, PA0 + !which * BLOCK, BLOCK, RW,
				0);
			beside_arm(&bed);
			ret = unmap_shared(from, size, S2_SPLIT_EDGES);
			beside_disarm(&bed);
			again(unmap_shared(from, size, S2_SPLIT_EDGES));
			assert_int_equal(ret, 0);
			for (uint64_t at = 0; at < 2 * BLOCK; at += PAGE) {
				if (A + at >= from && A + at < from + size)
					continue;
				if (at / BLOCK == which && (!beside.acted || ret_beside))
					continue;
				beside_require(maps(A + at, PA0 + at),
					       "a page outside the range is lost");
			}
			close_bed();
		}
	}
}

/* A block is split for a page at its edge, and is unmapped by another before that. */
static void a_table_that_was_filled_in_vain_is_not_linked(void **state)
{
	const uint64_t page = A + 5 * PAGE;

	(void)state;
	other.ipa = A;
	other.size = BLOCK;
	other.flags = 0;
	for (beside_begin(other_unmaps); beside_next();) {
		open_bed(S2_FEAT_FWB);
		bed_map(&bed, A, PA0, BLOCK, RW, 0);
		beside_arm(&bed);
		ret = map_shared(page, PA1, PAGE, RW, S2_MAP_REPLACE | S2_SPLIT_EDGES);
		beside_disarm(&bed);
		again(map_shared(page, PA1, PAGE, RW, S2_MAP_REPLACE | S2_SPLIT_EDGES));
		beside_require(!ret || ret == S2_E_BUSY, "it returns %d", ret);
		for (uint64_t at = 0; at < BLOCK; at += PAGE)
			beside_require(A + at == page || empty(A + at) ||
					       ((!beside.acted || ret_beside) &&
						maps(A + at, PA0 + at)),
				       "a page that was unmapped is there again");
		close_bed();
	}
}

/* ---- what a call leaves behind ----------------------------------------------------- */

static uint64_t appeared; /* the block that the other call has put, or 0 */

static void a_block_appears(void)
{
	other_maps();
	if (!ret_beside)
		appeared = beside.now;
}

/*
 * A table under a block of 1 GiB is replaced, and while it goes another call puts a
 * block of 2 MiB into its place. What has gone at the end has been cleaned after it went,
 * and if the map says 0 it has its range.
 */
static void what_a_replacing_map_takes_away_is_clean(void **state)
{
	static const uint64_t at[] = { 0, 2 * BLOCK, GIB - BLOCK };

	(void)state;
	for (unsigned i = 0; i < sizeof(at) / sizeof(*at); i++) {
		other.ipa = A + at[i];
		other.pa = PA1;
		other.size = BLOCK;
		other.flags = S2_NO_CLEAN;
		for (beside_begin(a_block_appears); beside_next();) {
			appeared = 0;
			beside.pa = PA1;
			open_bed(0);
			bed_map(&bed, A + BLOCK, 16 * GIB + BLOCK, GIB - 2 * BLOCK, RW,
				S2_NO_CLEAN);
			bed_map(&bed, A + 3 * PAGE, 16 * GIB, PAGE, RW,
				S2_MAP_PAGES | S2_NO_CLEAN);
			if (at[i] == 2 * BLOCK)
				bed_unmap(&bed, A + at[i], BLOCK, S2_NO_CLEAN);
			beside_arm(&bed);
			ret = map_shared(A, 2 * GIB * 16, GIB, RW, S2_MAP_REPLACE);
			beside_disarm(&bed);
			again(map_shared(A, 2 * GIB * 16, GIB, RW, S2_MAP_REPLACE));
			beside_require(!ret || ret == S2_E_BUSY, "it returns %d", ret);
			beside_require(ret || maps(A, 2 * GIB * 16) ||
					       maps(A + at[i], PA1),
				       "0, and neither mapping is there");
			if (appeared && !maps(A + at[i], PA1))
				for (uint64_t p = 0; p < BLOCK; p += PAGE)
					beside_require(beside_is_clean(PA1 + p, appeared),
						       "the other's block went and page "
						       "0x%" PRIx64 " of it is not clean",
						       p);
			close_bed();
		}
	}
}

/* In a table with one page: the other call takes what it finds, and that was all. */
static void other_empties_the_table(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	/* The same place first, so that the call under way cannot have it. */
	ret_beside = s2_map(&bed.s2, s2_ipa(other.ipa), s2_pa(PA1), PAGE, RW,
			    S2_SHARED | S2_MAP_PAGES, &op);
	if (!ret_beside)
		ret_beside = s2_unmap(&bed.s2, s2_ipa(A), BLOCK, S2_SHARED, &op);
}

static void other_leaves_one_page(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_map(&bed.s2, s2_ipa(other.ipa), s2_pa(PA1), PAGE, RW,
			    S2_SHARED | S2_MAP_PAGES, &op);
	if (!ret_beside)
		ret_beside = s2_unmap(&bed.s2, s2_ipa(A), PAGE, S2_SHARED, &op);
	if (!ret_beside)
		ret_beside = s2_unmap(&bed.s2, s2_ipa(other.ipa), PAGE, S2_SHARED, &op);
}

static void a_map_that_gives_up_leaves_no_empty_table(void **state)
{
	static void (*const act[])(void) = { other_empties_the_table,
					     other_leaves_one_page };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		other.ipa = A + 7 * PAGE;
		for (beside_begin(act[i]); beside_next();) {
			open_bed(S2_FEAT_FWB);
			bed_map(&bed, A, PA0, PAGE, RW, S2_MAP_PAGES);
			beside_arm(&bed);
			ret = map_shared(A + 7 * PAGE, PA0, PAGE, RW, S2_MAP_PAGES);
			beside_disarm(&bed);
			beside_require(!ret || ret == S2_E_BUSY || ret == S2_E_EXIST,
				       "it returns %d", ret);
			/* Only what is mapped keeps its tables: bed_check(). */
			close_bed();
		}
	}
}

/*
 * A table is filled with the annotation that lies where it is to go, and another call
 * links its own there first. Then it is linked elsewhere, as an empty one.
 */
static void a_table_that_lost_its_place_is_empty_again(void **state)
{
	(void)state;
	other.ipa = A;
	other.pa = PA1;
	other.size = PAGE;
	other.flags = S2_MAP_PAGES;
	for (beside_begin(other_maps); beside_next();) {
		open_bed(S2_FEAT_FWB);
		assert_int_equal(s2_annotate(&bed.s2, s2_ipa(A), BLOCK, 7, 0, NULL), 0);
		beside_arm(&bed);
		ret = map_shared(A + BLOCK - PAGE, PA0, 2 * PAGE, RW, S2_MAP_PAGES);
		beside_disarm(&bed);
		assert_int_equal(ret, 0);
		assert_int_equal(bed_lookup(&bed, A + BLOCK + PAGE).state, S2_EMPTY);
		assert_int_equal(bed_lookup(&bed, A + PAGE).state, S2_NOTE);
		close_bed();
	}
}

/* At one event of a map a page appears in its place, at a later one it goes. */
static struct {
	uint64_t appears, goes, count;
	bool acting;
} turns;

static void appears_and_goes(struct count_port *port, enum count_event what, uint64_t at,
			     uint64_t value)
{
	struct s2_op op = { .limbo = &limbo_beside };

	(void)port;
	(void)at;
	(void)value;
	if (turns.acting || what == COUNT_STORE)
		return;
	turns.acting = true;
	if (turns.count == turns.appears)
		ret_beside = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA1), PAGE, RW,
				    S2_SHARED | S2_MAP_PAGES, &op);
	else if (turns.count == turns.goes)
		ret_beside = s2_unmap(&bed.s2, s2_ipa(A), PAGE, S2_SHARED, &op);
	turns.acting = false;
	turns.count++;
}

/* Its own count is what keeps the table when the page goes. */
static void a_map_that_lost_its_place_leaves_no_empty_table(void **state)
{
	(void)state;
	turns.count = UINT64_MAX;
	for (turns.appears = 0; turns.appears < turns.count; turns.appears++) {
		turns.goes = turns.appears;
		do {
			turns.goes++;
			open_bed(S2_FEAT_FWB);
			turns.count = 0;
			bed.port.record = appears_and_goes;
			ret = map_shared(A, PA0, PAGE, RW, S2_MAP_PAGES);
			bed.port.record = NULL;
			assert_true(!ret || ret == S2_E_BUSY || ret == S2_E_EXIST);
			close_bed();
		} while (turns.goes < turns.count);
	}
}

/* Both take a page out of a table of two; one of them has to take the table. */
static void two_unmaps_of_the_last_pages_leave_no_table(void **state)
{
	(void)state;
	other.ipa = A + 7 * PAGE;
	other.size = PAGE;
	other.flags = 0;
	for (unsigned needs_clean = 0; needs_clean < 2; needs_clean++)
		for (beside_begin(other_unmaps); beside_next();) {
			open_bed(needs_clean ? 0 : S2_FEAT_FWB);
			bed_map(&bed, A, PA0, PAGE, RW, S2_MAP_PAGES);
			bed_map(&bed, A + 7 * PAGE, PA0, PAGE, RW, S2_MAP_PAGES);
			beside_arm(&bed);
			ret = unmap_shared(A, PAGE, 0);
			beside_disarm(&bed);
			again(unmap_shared(A, PAGE, 0));
			assert_int_equal(ret, 0);
			assert_true(empty(A));
			if (beside.acted && !ret_beside)
				beside_require(bed.s2.tags == 1 && empty(A + 7 * PAGE),
					       "both have returned 0");
			close_bed();
		}
}

/* ---- memory ------------------------------------------------------------------------ */

/* The page is there already when the map looks, and gone when it writes. */
static void a_map_of_what_has_gone_cleans_it(void **state)
{
	(void)state;
	other.ipa = A;
	other.size = PAGE;
	other.flags = S2_NO_CLEAN;
	beside.pa = PA0;
	for (beside_begin(other_unmaps); beside_next();) {
		beside.pa = PA0;
		open_bed(0);
		bed_map(&bed, A, PA0, PAGE, S2_R, S2_MAP_PAGES | S2_NO_CLEAN);
		bed_map(&bed, A + PAGE, PA1, PAGE, RW, S2_MAP_PAGES | S2_NO_CLEAN);
		beside_arm(&bed);
		ret = map_shared(A, PA0, PAGE, RWX, S2_MAP_PAGES);
		beside_disarm(&bed);
		if (!ret && maps(A, PA0)) {
			beside_require(beside.executable == PA0, "it is not executable");
			if (beside.acted && !ret_beside)
				beside_require(beside_is_clean(PA0, 0),
					       "it was unmapped, and is not clean");
		}
		close_bed();
	}
}

static void other_puts_another_frame(void)
{
	struct s2_op op = { .limbo = &limbo_beside };

	ret_beside = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA1), PAGE, RW,
			    S2_SHARED | S2_MAP_PAGES | S2_MAP_REPLACE, &op);
}

static void what_a_relax_makes_executable_is_what_it_finds(void **state)
{
	(void)state;
	for (beside_begin(other_puts_another_frame); beside_next();) {
		open_bed(S2_FEAT_FWB);
		bed_map(&bed, A, PA0, PAGE, RW, S2_MAP_PAGES);
		beside_arm(&bed);
		ret = s2_relax_perms(&bed.s2, s2_ipa(A), S2_X, S2_SHARED);
		beside_disarm(&bed);
		if (bed_lookup(&bed, A).attr & S2_X)
			beside_require(beside.executable == bed_lookup(&bed, A).pa.pa,
				       "another frame was made executable");
		close_bed();
	}
}

static void other_cleans(void)
{
	ret_beside = s2_clean(&bed.s2, s2_ipa(A), BLOCK, S2_SHARED, NULL);
}

/* A block that is being split, or a table that is being collapsed, is mapped. */
static void a_clean_beside_a_change_of_size_cleans_it_all(void **state)
{
	(void)state;
	for (unsigned collapse = 0; collapse < 2; collapse++)
		for (beside_begin(other_cleans); beside_next();) {
			struct s2_op op = { .limbo = &limbo };

			beside.pa = PA0;
			open_bed(0);
			bed_map(&bed, A, PA0, BLOCK, RW,
				S2_NO_CLEAN | (collapse ? S2_MAP_PAGES : 0));
			beside_arm(&bed);
			ret = collapse ? s2_collapse(&bed.s2, s2_ipa(A), BLOCK, S2_SHARED,
						     &op) :
					 split_shared(A, BLOCK);
			beside_disarm(&bed);
			assert_int_equal(ret, 0);
			for (uint64_t p = 0; beside.acted && !ret_beside && p < BLOCK;
			     p += PAGE)
				beside_require(beside_is_clean(PA0 + p, 0),
					       "0, and a page is not clean");
			close_bed();
		}
}

/* A leaf that is cleaned in steps is the steps': a shared call leaves it there. */
static void a_parked_leaf_is_not_taken_for_ones_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 2; i++) {
		struct s2_op steps = { .max_bytes = S2_BUDGET_BYTES_MIN };
		uint64_t ipa = GIB + (i & 1 ? 0 : 3 * BLOCK), size = i & 1 ? GIB : PAGE;

		open_bed(0);
		bed_map(&bed, GIB, PA0, GIB, RW, S2_NO_CLEAN);
		bed_map(&bed, 3 * GIB, PA0, PAGE, RW, S2_MAP_PAGES | S2_NO_CLEAN);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &steps), S2_MORE);
		ret = unmap_shared(ipa, size, i & 2 ? S2_NO_CLEAN : S2_DROP_EDGES);
		assert_int_equal(ret, 0);
		assert_int_equal(bed_lookup(&bed, GIB).state, S2_BUSY);
		assert_int_equal(map_shared(ipa, PA1, PAGE, RW,
					    S2_MAP_PAGES | S2_MAP_REPLACE | S2_NO_CLEAN),
				 S2_E_BUSY);
		assert_int_equal(bed_lookup(&bed, GIB).state, S2_BUSY);
		while ((ret = s2_unmap(&bed.s2, s2_ipa(GIB), GIB, 0, &steps)) == S2_MORE)
			;
		assert_int_equal(ret, 0);
		assert_true(empty(GIB));
		close_bed();
	}
}

/* ---- invalidation ------------------------------------------------------------------ */

/* The call under way has taken the permission, and no PE knows of it yet. */
static bool protecting;
static s2_attr_t other_bits; /* software bits, which alone need no TLBI */

static void other_maps_read_only(void)
{
	struct s2_op op = { .limbo = &limbo_beside };
	struct s2_mapping m;

	assert_int_equal(s2_lookup(&bed.s2, s2_ipa(A), &m), 0);
	protecting = m.state == S2_LEAF && !(m.attr & S2_W) && !beside.invalidated;
	ret_beside = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA0), PAGE, S2_R | other_bits,
			    S2_SHARED | S2_MAP_PAGES, &op);
}

/*
 * Who took the permission away may not have invalidated yet; a map that asks for what
 * is there already must not return before somebody has.
 */
static void a_map_of_what_is_there_invalidates_it(void **state)
{
	(void)state;
	for (unsigned by = 0; by < 4; by++)
		for (beside_begin(other_maps_read_only); beside_next();) {
			protecting = false;
			other_bits = by & 2 ? S2_SW(1) : 0;
			open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE);
			bed_map(&bed, A, PA0, PAGE, RW, S2_MAP_PAGES);
			beside_arm(&bed);
			ret = by & 1 ? map_shared(A, PA0, PAGE, S2_R, S2_MAP_PAGES) :
				       s2_wrprotect(&bed.s2, s2_ipa(A), PAGE, S2_SHARED,
						    NULL);
			beside_disarm(&bed);
			assert_int_equal(ret, 0);
			if (protecting && !ret_beside)
				beside_require(beside.tlbi,
					       "0, and a PE may still write");
			close_bed();
		}
}

/* A map that finds its place taken: it counts its entry in, and out again. */
static struct {
	uint64_t *word, at, count;
	bool leaves_it; /* the empty table is the unmap's to take */
} visit;

static void counts_in_and_out(struct count_port *port, enum count_event what, uint64_t at,
			      uint64_t value)
{
	uint64_t left;

	(void)port;
	(void)at;
	(void)value;
	if (what != COUNT_WORD)
		return;
	if (visit.count == visit.at)
		*visit.word += META_LIVE_ONE;
	if (visit.count++ != visit.at + 1)
		return;
	left = *visit.word -= META_LIVE_ONE;
	visit.leaves_it = left & (META_COUNTS | META_DEAD);
}

/*
 * The last page of a table goes while a map counts. Where the map sees another entry, or
 * that the table is dead, it leaves the table to the unmap (put_entry()).
 */
static void a_table_that_looks_used_for_a_moment_dies(void **state)
{
	unsigned left = 0;

	(void)state;
	visit.count = ~UINT64_C(0);
	for (visit.at = 0; visit.at + 1 < visit.count; visit.at++) {
		open_bed(S2_FEAT_FWB);
		bed_map(&bed, A, PA0, PAGE, RW, S2_MAP_PAGES);
		visit.word = &table_meta(&bed.s2, bed_entry(&bed, A, 3))[META_STATE];
		visit.count = 0;
		visit.leaves_it = false;
		bed.port.record = counts_in_and_out;
		ret = unmap_shared(A, PAGE, 0);
		bed.port.record = NULL;
		assert_int_equal(ret, 0);
		left += visit.leaves_it;
		if (visit.leaves_it)
			assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		if (visit.leaves_it)
			bed_check(&bed);
		else
			bed_unmap(&bed, A, PAGE, 0);
		close_bed();
	}
	assert_true(left >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_split_beside_a_fault_leaves_no_block_and_no_marker),
		cmocka_unit_test(a_split_does_not_give_its_tables_to_another_block),
		cmocka_unit_test(the_table_built_for_one_block_is_not_linked_for_another),
		cmocka_unit_test(an_unmap_takes_no_block_that_crosses_its_edge),
		cmocka_unit_test(a_replacing_map_takes_no_block_that_crosses_its_edge),
		cmocka_unit_test(both_edges_are_settled_on_what_is_broken),
		cmocka_unit_test(a_table_that_was_filled_in_vain_is_not_linked),
		cmocka_unit_test(what_a_replacing_map_takes_away_is_clean),
		cmocka_unit_test(a_map_that_gives_up_leaves_no_empty_table),
		cmocka_unit_test(a_table_that_lost_its_place_is_empty_again),
		cmocka_unit_test(a_map_that_lost_its_place_leaves_no_empty_table),
		cmocka_unit_test(two_unmaps_of_the_last_pages_leave_no_table),
		cmocka_unit_test(a_map_of_what_has_gone_cleans_it),
		cmocka_unit_test(what_a_relax_makes_executable_is_what_it_finds),
		cmocka_unit_test(a_clean_beside_a_change_of_size_cleans_it_all),
		cmocka_unit_test(a_parked_leaf_is_not_taken_for_ones_own),
		cmocka_unit_test(a_map_of_what_is_there_invalidates_it),
		cmocka_unit_test(a_table_that_looks_used_for_a_moment_dies),
	};

	return cmocka_run_group_tests_name("repro-beside", tests, NULL, NULL);
}
