/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the stage-2 tests of another hypervisor expect of the address space as a whole, in
 * our words: its first and last page, all of it, ranges across tables and levels, ranges
 * that are none, tidying, and what a range is mapped with. On every granule, with one
 * root table and with as many as there can be.
 */
#include "bed.h"

#include <string.h>

static struct bed bed;

static const struct shape {
	uint8_t granule, ipa_bits, roots;
} shapes[] = {
	{ 12, 39, 1 },	{ 12, 43, 16 }, { 12, 34, 16 }, { 14, 36, 1 },
	{ 14, 40, 16 }, { 16, 42, 1 },	{ 16, 46, 16 }, { 16, 33, 16 },
};
#define SHAPES (sizeof(shapes) / sizeof(*shapes))

/* Of the granule: a page and a level-2 block. */
static uint64_t page, block, end;

static void open_shape(const struct shape *s, uint32_t pages)
{
	bed_open_as(&bed,
		    (struct s2_config){ .ipa_bits = s->ipa_bits,
					.pa_bits = 48,
					.granule_shift = s->granule },
		    pages);
	page = UINT64_C(1) << s->granule;
	block = page << (s->granule - 3);
	end = UINT64_C(1) << s->ipa_bits;
	assert_int_equal(bed.s2.root_pages, s->roots);
}

#define EACH_SHAPE(pages)                                         \
	for (const struct shape *s = shapes;                      \
	     s < shapes + SHAPES && (open_shape(s, pages), true); \
	     bed_check(&bed), bed_close(&bed), s++)

static int map(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags, NULL);
}

static int unmap(uint64_t ipa, uint64_t size, uint32_t flags)
{
	return s2_unmap(&bed.s2, s2_ipa(ipa), size, flags, NULL);
}

static int annotate(uint64_t ipa, uint64_t size, uint64_t note, uint32_t flags)
{
	return s2_annotate(&bed.s2, s2_ipa(ipa), size, note, flags, NULL);
}

static int collapse(uint64_t ipa, uint64_t size)
{
	return s2_collapse(&bed.s2, s2_ipa(ipa), size, 0, NULL);
}

static struct s2_survey survey(uint64_t ipa, uint64_t size)
{
	struct s2_survey in;

	assert_int_equal(s2_survey(&bed.s2, s2_ipa(ipa), size, 0, &in, NULL), 0);
	return in;
}

static int translate(uint64_t ipa, uint64_t *pa)
{
	struct s2_leaf leaf;
	int ret = s2_translate(&bed.s2, s2_ipa(ipa), &leaf);

	*pa = ret ? 0 : leaf.pa.pa;
	return ret;
}

static bool is_mapped(uint64_t ipa)
{
	uint64_t pa;

	return !translate(ipa, &pa);
}

/* The largest leaf at which all of the space is mapped. */
static uint64_t top_size(void)
{
	int level = bed.s2.start_level;

	/* 16 KiB and 64 KiB granules have blocks at level 2 only. */
	if (level < 2 && bed.s2.granule_shift > 12)
		level = 2;
	return page << (bed.s2.granule_shift - 3) * (unsigned)(3 - level);
}

/* ---- single pages ---------------- */

static void nothing_is_mapped_at_first(void **state)
{
	(void)state;
	EACH_SHAPE(0)
	{
		assert_false(is_mapped(0));
		assert_false(is_mapped(block + page));
		assert_false(is_mapped(end - 1));
		assert_int_equal(survey(0, end).empty, end);
		assert_true(survey(0, end).uniform);
	}
}

static void the_first_page_and_the_last_are_pages_like_others(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		uint64_t pa;

		bed_map(&bed, 0, 4 * block, page, RW, 0);
		bed_map(&bed, end - page, 5 * block, page, S2_R, 0);
		assert_int_equal(translate(0, &pa), 0);
		assert_int_equal(pa, 4 * block);
		assert_int_equal(translate(page - 1, &pa), 0);
		assert_int_equal(pa, 4 * block + page - 1);
		assert_int_equal(translate(end - 1, &pa), 0);
		assert_int_equal(pa, 5 * block + page - 1);
		assert_false(is_mapped(page));
		assert_false(is_mapped(end - page - 1));
		assert_int_equal(survey(0, end).mapped, 2 * page);
		bed_unmap(&bed, end - page, page, 0);
		assert_false(is_mapped(end - 1));
		assert_true(is_mapped(0));
		bed_unmap(&bed, 0, page, 0);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

static void the_last_of_memory_may_be_mapped_too(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		uint64_t top = UINT64_C(1) << 48;

		bed_map(&bed, 0, top - page, page, RW, 0);
		assert_int_equal(map(page, top - page, 2 * page, RW, 0), S2_E_PA_RANGE);
		assert_false(is_mapped(page));
	}
}

/* ---- ranges ---------------- */

/* From the last page of a table to the first of the next, and of the next but one. */
static void a_range_across_tables_is_mapped_and_unmapped_as_one(void **state)
{
	(void)state;
	EACH_SHAPE(32)
	{
		uint64_t at = block - page, size = block + 2 * page, n;

		/* Not at the same place in its block: pages only. */
		bed_map(&bed, at, 8 * block, size, RW, 0);
		assert_int_equal(survey(0, 4 * block).leaves[3], size);
		for (uint64_t i = 0; i < size; i += page) {
			uint64_t pa;

			assert_int_equal(translate(at + i, &pa), 0);
			assert_int_equal(pa, 8 * block + i);
		}
		assert_false(is_mapped(at - page));
		assert_false(is_mapped(at + size));
		bed_unmap(&bed, at, size, 0);
		assert_int_equal(survey(0, end).empty, end);
		assert_int_equal(bed_tables(&bed), 0);
		/* At the same place: a block between two pages, if there are blocks. */
		bed_map(&bed, at, 9 * block - page, size, RW, 0);
		n = bed.s2.start_level == 3 ? 0 : block;
		assert_int_equal(survey(0, 4 * block).leaves[2], n);
		assert_int_equal(survey(0, 4 * block).leaves[3], size - n);
		bed_unmap(&bed, at, size, 0);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

static void all_of_the_space_is_blocks_and_no_more_tables_than_lead_there(void **state)
{
	(void)state;
	EACH_SHAPE(1024)
	{
		uint64_t size = top_size(), pa;

		bed_map(&bed, 0, 0, end, RW, 0);
		assert_int_equal(bed_lookup(&bed, end / 2).size, size);
		assert_int_equal(bed_tables(&bed),
				 bed.s2.start_level < 2 && size == block ?
					 end / (block << (s->granule - 3)) :
					 0);
		assert_int_equal(survey(0, end).mapped, end);
		assert_true(survey(0, end).uniform);
		assert_int_equal(translate(end - 1, &pa), 0);
		assert_int_equal(pa, end - 1);
		/* Once more: nothing changes. */
		bed_cost(&bed);
		bed_map(&bed, 0, 0, end, RW, 0);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		bed_unmap(&bed, 0, end, 0);
		assert_int_equal(survey(0, end).empty, end);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

static void one_unmap_takes_all_that_is_in_the_space(void **state)
{
	(void)state;
	EACH_SHAPE(64)
	{
		bed_map(&bed, 0, 8 * block, page, RW, 0);
		bed_map(&bed, 3 * page, 8 * block, page, S2_R, 0);
		bed_map(&bed, block, 8 * block, 2 * block, RW, 0);
		bed_map(&bed, end / 2 - page, 8 * block, 2 * page, RW, 0);
		bed_map(&bed, end - block, 8 * block, block, S2_R | S2_SW(3), 0);
		bed_cost(&bed);
		bed_unmap(&bed, 0, end, 0);
		/* DSB, TLBI, DSB: not more for more leaves. (TLBI VMALLE1IS or not.) */
		assert_true(bed_cost(&bed).tlbi <= 2);
		assert_int_equal(survey(0, end).empty, end);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

static void an_unmap_of_nothing_costs_nothing(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		struct cost c;

		bed_cost(&bed);
		bed_unmap(&bed, 0, end, 0);
		bed_unmap(&bed, block - page, 2 * page, S2_SPLIT_EDGES);
		bed_map(&bed, 0, 8 * block, page, RW, 0);
		bed_cost(&bed);
		bed_unmap(&bed, page, block - page, 0);
		bed_unmap(&bed, block, end - block, 0);
		c = bed_cost(&bed);
		assert_int_equal(c.tlbi, 0);
		assert_int_equal(c.dsb, 0);
		assert_true(is_mapped(0));
	}
}

/* ---- ranges that are none ---------------- */

struct bad_range {
	uint64_t ipa, size;
	int error;
};

/* Nothing is rounded, cut off at the end, or turned round. */
static void a_range_that_is_none_is_refused_by_name(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		const struct bad_range ranges[] = {
			{ page / 2, page, S2_E_ALIGN },
			{ 1, page, S2_E_ALIGN },
			{ 0, page / 2, S2_E_ALIGN },
			{ page, page + 1, S2_E_ALIGN },
			{ page, 0, S2_E_SIZE },
			/* past the end; all but the first page */
			{ end, page, S2_E_IPA_RANGE },
			{ end - page, 2 * page, S2_E_IPA_RANGE },
			{ 0, end + page, S2_E_IPA_RANGE },
			/* from 3 pages to 1: as a size that is "negative" */
			{ 3 * page, -2 * page, S2_E_WRAP },
			{ -page, page, S2_E_WRAP },
			{ -page, 2 * page, S2_E_WRAP },
		};
		struct s2_survey before, after;

		bed_map(&bed, 0, 8 * block, 4 * page, RW, 0);
		bed_map(&bed, end - 2 * page, 8 * block, 2 * page, RW, 0);
		before = survey(0, end);
		bed_cost(&bed);
		for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
			const struct bad_range *r = &ranges[i];
			struct s2_iter it;

			assert_int_equal(map(r->ipa, 16 * block, r->size, RW,
					     S2_MAP_REPLACE),
					 r->error);
			assert_int_equal(unmap(r->ipa, r->size, 0), r->error);
			assert_int_equal(unmap(r->ipa, r->size, S2_SPLIT_EDGES),
					 r->error);
			assert_int_equal(annotate(r->ipa, r->size, 1, S2_MAP_REPLACE),
					 r->error);
			assert_int_equal(collapse(r->ipa, r->size), r->error);
			assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(r->ipa), r->size, 0,
						      NULL),
					 r->error);
			assert_int_equal(s2_survey(&bed.s2, s2_ipa(r->ipa), r->size, 0,
						   &after, NULL),
					 r->error);
			assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(r->ipa),
						       r->size),
					 r->error);
		}
		assert_int_equal(map(4 * page, 16 * block + 1, page, RW, 0), S2_E_ALIGN);
		assert_int_equal(bed_cost(&bed).dsb, 0);
		after = survey(0, end);
		assert_memory_equal(&before, &after, sizeof(before));
	}
}

static void no_address_outside_is_mapped(void **state)
{
	(void)state;
	EACH_SHAPE(1024)
	{
		struct s2_mapping m;
		uint64_t pa;

		bed_map(&bed, 0, 0, end, RW, 0);
		assert_int_equal(translate(end, &pa), S2_E_IPA_RANGE);
		assert_int_equal(translate(UINT64_MAX, &pa), S2_E_IPA_RANGE);
		assert_int_equal(s2_lookup(&bed.s2, s2_ipa(end), &m), S2_E_IPA_RANGE);
		assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(end), S2_X, 0),
				 S2_E_IPA_RANGE);
	}
}

/* ---- tables and blocks in each other's place ---------------- */

static void a_page_of_other_memory_in_a_block_and_back(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		uint64_t at = block + 5 * page;

		if (bed.s2.start_level == 3)
			continue;
		bed_map(&bed, block, 8 * block, block, RW, 0);
		assert_int_equal(map(at, 16 * block, page, S2_R,
				     S2_MAP_REPLACE | S2_SPLIT_EDGES),
				 0);
		assert_int_equal(bed_lookup(&bed, at).pa.pa, 16 * block);
		assert_int_equal(bed_lookup(&bed, at).attr, S2_R);
		assert_int_equal(bed_lookup(&bed, at - page).pa.pa, 8 * block + 4 * page);
		assert_int_equal(bed_lookup(&bed, at + page).attr, RW);
		/* A block in place of the table: the table is free. */
		assert_int_equal(map(block, 24 * block, block, RW, S2_MAP_REPLACE), 0);
		assert_int_equal(bed_lookup(&bed, at).level, 2);
		assert_int_equal(bed_lookup(&bed, at).pa.pa, 24 * block);
		bed_unmap(&bed, block, block, 0);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

/* An unmap of a part leaves pages; nobody tidies behind the caller's back. */
static void tidying_is_a_call_of_its_own(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		if (bed.s2.start_level == 3)
			continue;
		bed_map(&bed, block, 8 * block, block, RW, 0);
		assert_int_equal(unmap(block + page, page, S2_SPLIT_EDGES), 0);
		bed_map(&bed, block + page, 8 * block + page, page, RW, 0);
		assert_int_equal(bed_lookup(&bed, block).level, 3);
		assert_int_equal(collapse(block, block), 0);
		assert_int_equal(bed_lookup(&bed, block).level, 2);
		assert_int_equal(survey(0, end).mapped, block);
	}
}

static void tidying_changes_no_translation(void **state)
{
	(void)state;
	EACH_SHAPE(32)
	{
		uint64_t pa;

		if (bed.s2.start_level == 3)
			continue;
		/* Nothing at all; a hole; two permissions; other memory; a whole one. */
		assert_int_equal(collapse(0, end), 0);
		assert_int_equal(bed_tables(&bed), 0);
		bed_map(&bed, 0, 8 * block, block - page, RW, 0);
		bed_map(&bed, block, 9 * block, block, RW, S2_MAP_PAGES);
		bed_map(&bed, block + page, 9 * block + page, page, S2_R, 0);
		bed_map(&bed, 2 * block, 16 * block + page, block, RW, 0);
		bed_map(&bed, 3 * block, 24 * block, block, RW, S2_MAP_PAGES);
		assert_int_equal(collapse(0, 4 * block), 0);
		assert_int_equal(bed_lookup(&bed, 0).level, 3);
		assert_false(is_mapped(block - page));
		assert_int_equal(bed_lookup(&bed, block).level, 3);
		assert_int_equal(bed_lookup(&bed, block + page).attr, S2_R);
		assert_int_equal(bed_lookup(&bed, 2 * block).level, 3);
		assert_int_equal(translate(3 * block - 1, &pa), 0);
		assert_int_equal(pa, 17 * block + page - 1);
		assert_int_equal(bed_lookup(&bed, 3 * block).level, 2);
		assert_int_equal(survey(0, end).mapped, 4 * block - page);
	}
}

/* ---- what a range is mapped with ---------------- */

static void a_range_is_uniform_or_it_is_not(void **state)
{
	(void)state;
	EACH_SHAPE(32)
	{
		struct s2_survey in;

		/* Across two tables; then a page that differs, a hole, a mark. */
		bed_map(&bed, block - 2 * page, 8 * block, 4 * page, RW | S2_SW(2), 0);
		in = survey(block - 2 * page, 4 * page);
		assert_true(in.uniform);
		assert_int_equal(in.all, RW | S2_SW(2));
		assert_int_equal(in.any, in.all);
		bed_map(&bed, block, 8 * block + 2 * page, page, S2_R | S2_SW(2), 0);
		in = survey(block - 2 * page, 4 * page);
		assert_false(in.uniform);
		assert_int_equal(in.all, S2_R | S2_SW(2));
		assert_int_equal(in.any, RW | S2_SW(2));
		assert_true(survey(block, page).uniform);
		bed_unmap(&bed, block, page, 0);
		in = survey(block - 2 * page, 4 * page);
		assert_false(in.uniform);
		assert_int_equal(in.all, in.any);
		assert_int_equal(in.empty, page);
		assert_int_equal(annotate(block, page, 9, 0), 0);
		in = survey(block - 2 * page, 4 * page);
		assert_false(in.uniform);
		assert_int_equal(in.noted, page);
		assert_int_equal(in.empty, 0);
		/* Its edges may be anywhere, a leaf counts as far as it is inside. */
		assert_true(survey(block - 2 * page, 2 * page).uniform);
		assert_int_equal(survey(block + page, page).mapped, page);
	}
}

/* ---- marks ---------------- */

static void marks_are_split_and_merged_as_blocks_are(void **state)
{
	(void)state;
	EACH_SHAPE(32)
	{
		if (bed.s2.start_level == 3)
			continue;
		/* One entry for a block; a page of it gets another owner, or memory. */
		assert_int_equal(annotate(block, block, 5, 0), 0);
		assert_int_equal(bed_lookup(&bed, block + page).size, block);
		assert_int_equal(annotate(block + page, page, 6,
					  S2_MAP_REPLACE | S2_SPLIT_EDGES),
				 0);
		assert_int_equal(bed_lookup(&bed, block).note, 5);
		assert_int_equal(bed_lookup(&bed, block + page).note, 6);
		assert_int_equal(bed_lookup(&bed, 2 * block - page).note, 5);
		assert_false(survey(block, block).uniform);
		/* Two halves that are marked alike are one entry when they are tidied. */
		assert_int_equal(annotate(block, block / 2, 7, S2_MAP_REPLACE), 0);
		assert_int_equal(
			annotate(block + block / 2, block / 2, 7, S2_MAP_REPLACE), 0);
		assert_int_equal(bed_lookup(&bed, block).size, page);
		assert_int_equal(collapse(block, block), 0);
		assert_int_equal(bed_lookup(&bed, block).size, block);
		assert_int_equal(survey(block, block).note, 7);
		assert_true(survey(block, block).uniform);
	}
}

/* ---- prepared, then made ---------------- */

static void a_prepare_that_is_not_made_leaves_nothing(void **state)
{
	(void)state;
	EACH_SHAPE(16)
	{
		struct s2_survey before, after;
		uint64_t n;

		bed_map(&bed, 0, 8 * block, 2 * page, RW, 0);
		before = survey(0, end);
		bed_cost(&bed);
		/* Apart, and over each other. */
		for (uint64_t at = 0; at < end; at = at ? at * 4 : page) {
			assert_int_equal(s2_tables_needed(&bed.s2, s2_ipa(at),
							  s2_pa(8 * block + at), page, RW,
							  S2_SPLIT_EDGES, &n),
					 0);
			assert_true(n <= s2_tables_bound(&bed.s2, s2_ipa(at), page));
		}
		after = survey(0, end);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(bed_cost(&bed).dsb, 0);
		/* Memory for all tables but one: nothing of the map is there. */
		assert_int_equal(s2_tables_needed(&bed.s2, s2_ipa(end - page),
						  s2_pa(block), page, RW, 0, &n),
				 0);
		bed.port.fail_after = (long)n - 1;
		if (n)
			assert_int_equal(map(end - page, block, page, RW, 0), S2_E_NOMEM);
		bed.port.fail_after = (long)n;
		assert_int_equal(map(end - page, block, page, RW, 0), 0);
		bed.port.fail_after = -1;
		bed_unmap(&bed, end - page, page, 0);
		after = survey(0, end);
		assert_memory_equal(&before, &after, sizeof(before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_mapped_at_first),
		cmocka_unit_test(the_first_page_and_the_last_are_pages_like_others),
		cmocka_unit_test(the_last_of_memory_may_be_mapped_too),
		cmocka_unit_test(a_range_across_tables_is_mapped_and_unmapped_as_one),
		cmocka_unit_test(
			all_of_the_space_is_blocks_and_no_more_tables_than_lead_there),
		cmocka_unit_test(one_unmap_takes_all_that_is_in_the_space),
		cmocka_unit_test(an_unmap_of_nothing_costs_nothing),
		cmocka_unit_test(a_range_that_is_none_is_refused_by_name),
		cmocka_unit_test(no_address_outside_is_mapped),
		cmocka_unit_test(a_page_of_other_memory_in_a_block_and_back),
		cmocka_unit_test(tidying_is_a_call_of_its_own),
		cmocka_unit_test(tidying_changes_no_translation),
		cmocka_unit_test(a_range_is_uniform_or_it_is_not),
		cmocka_unit_test(marks_are_split_and_merged_as_blocks_are),
		cmocka_unit_test(a_prepare_that_is_not_made_leaves_nothing),
	};

	return cmocka_run_group_tests_name("peers: space", tests, NULL, NULL);
}
