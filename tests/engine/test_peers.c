/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the stage-2 code of other hypervisors does and its callers rely on, a function for
 * each behaviour. Where a block of any size will do, on every granule.
 */
#include "bed.h"

static struct bed bed;

static const uint8_t granules[] = { 12, 14, 16 };

/* Of the granule: a page and a level-2 block. */
static uint64_t page, block;

static void open_granule(uint8_t shift, uint32_t pages)
{
	bed_open_as(&bed,
		    (struct s2_config){
			    .ipa_bits = 40, .pa_bits = 48, .granule_shift = shift },
		    pages);
	page = UINT64_C(1) << shift;
	block = page << (shift - 3);
}

#define EACH_GRANULE(pages)                                                    \
	for (unsigned g = 0;                                                   \
	     g < sizeof(granules) && (open_granule(granules[g], pages), true); \
	     bed_close(&bed), g++)

static int map(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	return s2_map(&bed.s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags, NULL);
}

static int annotate(uint64_t ipa, uint64_t size, uint64_t note, uint32_t flags)
{
	return s2_annotate(&bed.s2, s2_ipa(ipa), size, note, flags, NULL);
}

static int collapse(uint64_t ipa, uint64_t size)
{
	return s2_collapse(&bed.s2, s2_ipa(ipa), size, 0, NULL);
}

static uint64_t needed(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
		       uint32_t flags)
{
	uint64_t n;

	assert_int_equal(s2_tables_needed(&bed.s2, s2_ipa(ipa), s2_pa(pa), size, attr,
					  flags, &n),
			 0);
	return n;
}

/* ---- attributes ---------------- */

static void a_leaf_that_permits_nothing_stays_mapped(void **state)
{
	(void)state;
	EACH_GRANULE(8)
	{
		struct s2_leaf leaf;

		bed_map(&bed, block, 4 * block, block, S2_SW(5), 0);
		assert_int_equal(bed_lookup(&bed, block).state, S2_LEAF);
		assert_int_equal(bed_lookup(&bed, block).attr, S2_SW(5));
		assert_int_equal(s2_translate(&bed.s2, s2_ipa(block + page), &leaf), 0);
		assert_int_equal(leaf.pa.pa, 4 * block + page);
		assert_int_equal(s2_leaf_perms(&leaf), 0);
		assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(block), S2_R, 0), 0);
		assert_int_equal(bed_lookup(&bed, block).attr, S2_R | S2_SW(5));
		bed_check(&bed);
	}
}

static void device_memory_is_not_executable(void **state)
{
	(void)state;
	EACH_GRANULE(8)
	{
		assert_int_equal(map(block, block, page, S2_R | S2_X | S2_MEM_DEV_nGnRE,
				     0),
				 S2_E_ATTR);
		bed_map(&bed, block, block, page, RW | S2_MEM_DEV_nGnRE, 0);
		assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(block), S2_X, 0),
				 S2_E_ATTR);
	}
}

/* ---- what is mapped already ---------------- */

static void mapping_again_inside_a_larger_block_changes_nothing(void **state)
{
	(void)state;
	EACH_GRANULE(8)
	{
		struct cost c;

		bed_map(&bed, 0, 8 * block, 2 * block, RW, 0);
		bed_cost(&bed);
		for (uint64_t at = 0; at < 2 * block; at += block / 4 + page)
			bed_map(&bed, at, 8 * block + at, page, RW, S2_MAP_PAGES);
		bed_map(&bed, page, 8 * block + page, block, RW, 0);
		c = bed_cost(&bed);
		assert_int_equal(c.tlbi, 0);
		assert_int_equal(c.dsb, 0);
		assert_int_equal(bed_lookup(&bed, page).level, 2);
		assert_int_equal(bed_lookup(&bed, block + page).level, 2);
	}
	open_granule(12, 8);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	bed_cost(&bed);
	bed_map(&bed, GIB + 5 * PAGE, 4 * GIB + 5 * PAGE, 4 * MIB, RW, 0);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	assert_int_equal(bed_lookup(&bed, GIB + 5 * PAGE).level, 1);
	assert_int_equal(bed_tables(&bed), 0);
	bed_close(&bed);
}

static void the_same_memory_at_any_level_is_fine_and_other_is_refused(void **state)
{
	(void)state;
	EACH_GRANULE(8)
	{
		/* A block, a table with a hole, nothing. */
		bed_map(&bed, 0, 8 * block, block, RW, 0);
		bed_map(&bed, block, 9 * block, block - page, RW, S2_MAP_PAGES);
		assert_int_equal(map(0, 8 * block, 3 * block, S2_R, S2_MAP_NEW),
				 S2_E_EXIST);
		bed_map(&bed, 0, 8 * block, 3 * block, S2_R, 0);
		assert_int_equal(bed_lookup(&bed, 0).level, 2);
		assert_int_equal(bed_lookup(&bed, block).level, 3);
		assert_int_equal(bed_lookup(&bed, 2 * block - page).level, 3);
		assert_int_equal(bed_lookup(&bed, 2 * block).level, 2);
		for (uint64_t at = 0; at < 3 * block; at += block / 2) {
			assert_int_equal(bed_lookup(&bed, at).attr, S2_R);
			assert_int_equal(map(at, 16 * block + at, page, S2_R, 0),
					 S2_E_EXIST);
			assert_int_equal(map(at, 8 * block + at, page, S2_R | S2_MEM_NC,
					     0),
					 S2_E_EXIST);
		}
		bed_check(&bed);
	}
}

static void the_short_way_knows_the_edges_flag(void **state)
{
	struct s2_op with = { .max_entries = 0 }, without = { .max_entries = 0 };

	(void)state;
	EACH_GRANULE(8)
	{
		bed_map(&bed, 0, 8 * block, page, RW, S2_MAP_PAGES);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(page), s2_pa(8 * block + page),
					page, RW, S2_MAP_PAGES, &without),
				 0);
		assert_int_equal(s2_map(&bed.s2, s2_ipa(2 * page),
					s2_pa(8 * block + 2 * page), page, RW,
					S2_MAP_PAGES | S2_SPLIT_EDGES, &with),
				 0);
		assert_int_equal(with.visited, without.visited);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(page), page, 0, &without), 0);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(2 * page), page, S2_SPLIT_EDGES,
					  &with),
				 0);
		assert_int_equal(with.visited, without.visited);
	}
}

static void software_bits_alone_cost_no_tlbi_and_nothing_no_dsb(void **state)
{
	(void)state;
	EACH_GRANULE(8)
	{
		for (uint64_t size = page; size <= block;
		     size = size < block ? block : 2 * block) {
			bed_map(&bed, block, 8 * block, size, RW, 0);
			bed_cost(&bed);
			bed_map(&bed, block, 8 * block, size, RW | S2_SW(3), 0);
			assert_int_equal(bed_lookup(&bed, block).attr, RW | S2_SW(3));
			assert_int_equal(bed_cost(&bed).tlbi, 0);
			bed_map(&bed, block, 8 * block, size, RW | S2_SW(3), 0);
			assert_int_equal(bed_cost(&bed).dsb, 0);
			/* With a permission among them it does. */
			bed_map(&bed, block, 8 * block, size, S2_R | S2_SW(4), 0);
			assert_true(bed_cost(&bed).tlbi);
			bed_unmap(&bed, block, size, 0);
		}
	}
}

/* ---- tables ---------------- */

/* A page of a block at level 1 of 4 KiB granules, else at level 2; @n tables are left. */
#define EACH_PAGE_OF_A_BLOCK(n)                                                  \
	for (unsigned g = 0;                                                     \
	     g < sizeof(granules) &&                                             \
	     (open_granule(granules[g], granules[g] == 12 ? (n) : (n)-1), true); \
	     bed_check(&bed), bed_close(&bed), g++)

static void a_page_of_a_block_takes_the_tables_between_and_no_more(void **state)
{
	(void)state;
	for (int what = 0; what < 3; what++) {
		EACH_PAGE_OF_A_BLOCK(2)
		{
			uint64_t size = g ? block : GIB, at = size + size / 2 + page;
			uint64_t pa = 4 * size + at - size;
			unsigned n = g ? 1 : 2;
			int ret;

			bed_map(&bed, size, 4 * size, size, RW, 0);
			assert_int_equal(needed(at, pa, page, S2_R, S2_SPLIT_EDGES), n);
			ret = what == 0 ? map(at, pa, page, S2_R, S2_SPLIT_EDGES) :
			      what == 1 ? s2_unmap(&bed.s2, s2_ipa(at), page,
						   S2_SPLIT_EDGES, NULL) :
					  annotate(at, page, 7,
						   S2_MAP_REPLACE | S2_SPLIT_EDGES);
			assert_int_equal(ret, 0);
			assert_int_equal(bed_tables(&bed), n);
			assert_int_equal(bed_lookup(&bed, at - page).attr, RW);
			assert_int_equal(bed_lookup(&bed, at + page).attr, RW);
		}
	}
}

static void what_was_prepared_does_not_fail(void **state)
{
	(void)state;
	EACH_GRANULE(16)
	{
		/* Three prepares, in tables that they share, before their commits. */
		static const s2_attr_t attr[] = { RW, S2_R, RW };
		uint64_t at[] = { block - page, page, 3 * block + page };
		uint64_t size[] = { 2 * page, page, page }, bound = 0;

		bed_map(&bed, 0, 8 * block, block, RW, 0);
		for (int i = 0; i < 3; i++) {
			uint64_t n = needed(at[i], 8 * block + at[i], size[i], attr[i],
					    S2_SPLIT_EDGES);

			assert_true(n <=
				    s2_tables_bound(&bed.s2, s2_ipa(at[i]), size[i]));
			bound += s2_tables_bound(&bed.s2, s2_ipa(at[i]), size[i]);
		}
		/* Nothing is seen of a prepare. */
		assert_int_equal(bed_lookup(&bed, page).level, 2);
		assert_true(bed_tables(&bed) + bound <= 16);
		for (int i = 0; i < 3; i++) {
			uint64_t n = needed(at[i], 8 * block + at[i], size[i], attr[i],
					    S2_SPLIT_EDGES);

			bed.port.fail_after = (long)n;
			assert_int_equal(map(at[i], 8 * block + at[i], size[i], attr[i],
					     S2_SPLIT_EDGES),
					 0);
			/* It took them all. */
			assert_int_equal(bed.port.fail_after, 0);
			bed.port.fail_after = -1;
		}
		assert_int_equal(bed_lookup(&bed, page).attr, S2_R);
		bed_check(&bed);
	}
}

static void a_failed_map_leaves_no_table(void **state)
{
	(void)state;
	EACH_GRANULE(16)
	{
		/* In two tables, over nothing. */
		uint64_t n = needed(block - page, 8 * block - page, 2 * page, RW, 0);

		assert_true(n >= 2);
		for (uint64_t i = 0; i < n; i++) {
			bed.port.fail_after = (long)i;
			assert_int_equal(map(block - page, 8 * block - page, 2 * page, RW,
					     0),
					 S2_E_NOMEM);
			assert_int_equal(bed_tables(&bed), 0);
		}
		bed.port.fail_after = -1;
	}
}

static void an_unmap_frees_the_tables_it_empties(void **state)
{
	(void)state;
	EACH_GRANULE(16)
	{
		bed_map(&bed, block - page, 8 * block - page, 2 * page, RW, 0);
		assert_true(bed_tables(&bed) >= 2);
		bed_unmap(&bed, block - page, page, 0);
		bed_unmap(&bed, block, page, 0);
		assert_int_equal(bed_tables(&bed), 0);
	}
}

/* ---- owners ---------------- */

/* At every allocation that fails nothing changes: neither the mapping nor the mark. */
static void a_mark_over_a_mapping_is_all_or_nothing(void **state)
{
	const uint32_t flags = S2_MAP_REPLACE | S2_SPLIT_EDGES;

	(void)state;
	EACH_GRANULE(16)
	{
		int ret = S2_E_NOMEM;
		long n = 0;

		bed_map(&bed, 0, 8 * block, 2 * block, RW, 0);
		for (; ret == S2_E_NOMEM; n++) {
			for (uint64_t at = 0; at < 2 * block; at += block / 2)
				assert_int_equal(bed_lookup(&bed, at).pa.pa -
							 bed_lookup(&bed, at).ipa.ipa,
						 8 * block);
			bed.port.fail_after = n;
			ret = annotate(block - page, 2 * page, 8 * block, flags);
			bed.port.fail_after = -1;
		}
		assert_int_equal(ret, 0);
		/* Both blocks were split. */
		assert_int_equal(n, 2 + 1);
		assert_int_equal(bed_lookup(&bed, block - page).note, 8 * block);
		assert_int_equal(bed_lookup(&bed, block).note, 8 * block);
		assert_int_equal(bed_lookup(&bed, block + page).attr, RW);
		bed_check(&bed);
	}
}

static void a_page_lent_and_taken_back_is_one_block_when_tidied(void **state)
{
	(void)state;
	EACH_GRANULE(16)
	{
		uint64_t at = block + block / 2, pa = 8 * block + block / 2;

		bed_map(&bed, block, 8 * block, block, RW, 0);
		assert_int_equal(annotate(at, page, 2, S2_MAP_REPLACE | S2_SPLIT_EDGES),
				 0);
		assert_int_equal(collapse(block, block), 0);
		assert_int_equal(bed_lookup(&bed, at).note, 2);
		bed_map(&bed, at, pa, page, RW, 0);
		assert_int_equal(collapse(block, block), 0);
		assert_int_equal(bed_lookup(&bed, at).level, 2);
		assert_int_equal(bed_tables(&bed), g ? 0 : 1);
	}
}

static void a_gib_in_pieces_is_one_block_when_tidied(void **state)
{
	(void)state;
	open_granule(12, 513);
	for (uint64_t at = 0; at < GIB; at += 64 * MIB)
		bed_map(&bed, GIB + at, 4 * GIB + at, 64 * MIB, RW, S2_MAP_PAGES);
	assert_int_equal(bed_tables(&bed), 513);
	assert_int_equal(collapse(GIB, GIB), 0);
	assert_int_equal(bed_lookup(&bed, GIB).level, 1);
	assert_int_equal(bed_tables(&bed), 0);
	bed_close(&bed);
}

/* ---- a VM that has not run ---------------- */

/* While it is set up only changes of what is mapped cost a TLBI; its end costs none. */
static void a_vm_that_has_not_run_ends_without_a_tlbi(void **state)
{
	(void)state;
	for (unsigned g = 0; g < sizeof(granules); g++) {
		open_granule(granules[g], 16);
		bed_map(&bed, 0, 8 * block, block, RW, 0);
		bed_map(&bed, 2 * block, 8 * block, 4 * page, RW, 0);
		assert_int_equal(s2_destroy(&bed.s2, S2_VMID_UNUSED, NULL), 0);
		assert_int_equal(bed_cost(&bed).tlbi, 0);
		bed_close(&bed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_that_permits_nothing_stays_mapped),
		cmocka_unit_test(device_memory_is_not_executable),
		cmocka_unit_test(mapping_again_inside_a_larger_block_changes_nothing),
		cmocka_unit_test(
			the_same_memory_at_any_level_is_fine_and_other_is_refused),
		cmocka_unit_test(the_short_way_knows_the_edges_flag),
		cmocka_unit_test(software_bits_alone_cost_no_tlbi_and_nothing_no_dsb),
		cmocka_unit_test(a_page_of_a_block_takes_the_tables_between_and_no_more),
		cmocka_unit_test(what_was_prepared_does_not_fail),
		cmocka_unit_test(a_failed_map_leaves_no_table),
		cmocka_unit_test(an_unmap_frees_the_tables_it_empties),
		cmocka_unit_test(a_mark_over_a_mapping_is_all_or_nothing),
		cmocka_unit_test(a_page_lent_and_taken_back_is_one_block_when_tidied),
		cmocka_unit_test(a_gib_in_pieces_is_one_block_when_tidied),
		cmocka_unit_test(a_vm_that_has_not_run_ends_without_a_tlbi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
