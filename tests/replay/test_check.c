/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The comparison of the tables of the engine with the flat map must find every kind of
 * difference. The rules of the flat map itself are tested too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "replay/replay.h"

#define PAGE FLAT_PAGE
#define BLOCK (UINT64_C(2) << 20)
#define RWX (S2_R | S2_W | S2_X)

struct pair {
	struct machine *m;
	struct model_port port;
	struct s2 s2;
	struct flat_frames frames;
	struct flatmap flat;
	uint64_t ipa;
	char detail[REPLAY_DETAIL];
};

static int setup(void **state)
{
	const struct machine_config mc = { .pes = 1, .table_pages = 64 };
	static struct pair p;
	struct s2_config sc = { .ipa_bits = 40, .pa_bits = 48, .port = &p.port };

	memset(&p, 0, sizeof(p));
	p.m = p.port.m = machine_new(&mc);
	p.port.fail_alloc = -1;
	flat_init(&p.flat, &p.frames);
	*state = &p;
	return s2_init(&p.s2, &sc);
}

static int teardown(void **state)
{
	struct pair *p = *state;

	flat_free(&p->flat);
	flat_frames_free(&p->frames);
	s2_destroy(&p->s2, S2_NO_CLEAN, NULL);
	machine_free(p->m);
	return 0;
}

static void map_tables(struct pair *p, uint64_t ipa, uint64_t pa, uint64_t size)
{
	assert_int_equal(
		s2_map(&p->s2, s2_ipa(ipa), s2_pa(pa), size, RWX, S2_NO_CLEAN, NULL), 0);
}

static struct flat_range map_flat(struct pair *p, uint64_t ipa, uint64_t pa,
				  uint64_t size)
{
	struct flat_range r;

	assert_true(flat_map(&p->flat, ipa, pa, size, RWX, &r));
	return r;
}

static bool same(struct pair *p)
{
	p->detail[0] = '\0';
	return replay_check(&p->s2, &p->flat, true, &p->ipa, p->detail);
}

static void assert_differs(struct pair *p, uint64_t ipa, const char *says)
{
	assert_false(same(p));
	assert_int_equal(p->ipa, ipa);
	assert_non_null(strstr(p->detail, says));
}

static void map_both(struct pair *p)
{
	map_tables(p, 0x40000000, 0x1000000, PAGE);
	map_tables(p, 0x40200000, 0x2000000, BLOCK);
	map_flat(p, 0x40000000, 0x1000000, PAGE);
	map_flat(p, 0x40200000, 0x2000000, BLOCK);
	assert_true(same(p));
}

static void test_missing_in_tables(void **state)
{
	struct pair *p = *state;

	map_both(p);
	map_flat(p, 0x3ffff000, 0x9000000, PAGE);
	assert_differs(p, 0x3ffff000, "not mapped in the tables");
}

static void test_missing_at_the_end(void **state)
{
	struct pair *p = *state;

	map_both(p);
	map_flat(p, (UINT64_C(1) << 40) - PAGE, 0x9000000, PAGE);
	assert_differs(p, (UINT64_C(1) << 40) - PAGE, "not mapped in the tables");
}

static void test_missing_in_flat_map(void **state)
{
	struct pair *p = *state;

	map_both(p);
	map_tables(p, 0x80000000, 0x9000000, PAGE);
	assert_differs(p, 0x80000000, "not in the flat map");
}

static void test_other_address(void **state)
{
	struct pair *p = *state;

	map_both(p);
	map_flat(p, 0x40000000, 0x1001000, PAGE);
	assert_differs(p, 0x40000000, "physical address");
}

static void test_other_permissions(void **state)
{
	struct pair *p = *state;

	map_both(p);
	assert_int_equal(s2_wrprotect(&p->s2, s2_ipa(0x40200000), BLOCK, 0, NULL), 0);
	assert_differs(p, 0x40200000, "attributes");
	flat_wrprotect(&p->flat, 0x40300000, PAGE);
	assert_true(same(p));
}

static void test_other_level(void **state)
{
	struct pair *p = *state;

	map_both(p);
	assert_int_equal(s2_split(&p->s2, s2_ipa(0x40300000), PAGE, 0, NULL), 0);
	assert_differs(p, 0x40200000, "level");
	flat_split(&p->flat, 0x40300000, PAGE);
	assert_true(same(p));
}

static void test_other_access_flag(void **state)
{
	struct pair *p = *state;
	bool young = false;

	map_both(p);
	assert_int_equal(s2_age(&p->s2, s2_ipa(0x40200000), PAGE, S2_CLEAR, &young, NULL),
			 0);
	assert_differs(p, 0x40200000, "access flag");
	assert_true(replay_check(&p->s2, &p->flat, false, &p->ipa, p->detail));
	assert_true(flat_age(&p->flat, 0x40300000, PAGE, true));
	assert_false(flat_age(&p->flat, 0x40300000, PAGE, false));
	assert_true(same(p));
}

/* Rule 5: an unmap of part of a block removes all of it. */
static void test_flat_part_of_a_block(void **state)
{
	struct pair *p = *state;
	struct flat_range r;

	map_both(p);
	assert_true(flat_unmap(&p->flat, 0x40203000, PAGE, &r));
	assert_true(r.cut);
	assert_int_equal(r.start, 0x40200000);
	assert_int_equal(r.end, 0x40200000 + BLOCK);
	assert_int_equal(r.pages, 512);
	assert_int_equal(p->frames.freed_n, 1);
	assert_int_equal(p->frames.freed[0].size, BLOCK);
	assert_int_equal(p->flat.pages, 1);
}

/* Rules 3 and 4. */
static void test_flat_larger_and_smaller(void **state)
{
	struct pair *p = *state;
	uint64_t start;

	map_flat(p, 0x200000, 0x2000000, BLOCK);
	assert_true(map_flat(p, 0x201000, 0x2001000, PAGE).cut);
	assert_int_equal(p->flat.pages, 1);
	assert_int_equal(flat_next(&p->flat, 0, UINT64_C(1) << 40), 0x201000);
	assert_false(map_flat(p, 0x200000, 0x4000000, BLOCK).cut);
	assert_int_equal(p->flat.pages, 512);
	assert_int_equal(flat_get(&p->flat, 0x201000, &start)->pa, 0x4000000);
	assert_int_equal(start, 0x200000);
}

/*
 * A frame is free when its last address is unmapped, and not before. A map over it
 * counts.
 */
static void test_flat_shared_frame(void **state)
{
	struct pair *p = *state;
	struct flat_range r;

	map_flat(p, 0x1000, 0x5000, PAGE);
	map_flat(p, 0x8000, 0x5000, PAGE);
	map_flat(p, 0x1000, 0x5000, PAGE);
	assert_int_equal(p->frames.freed_n, 0);
	assert_true(flat_unmap(&p->flat, 0x1000, PAGE, &r));
	assert_int_equal(p->frames.freed_n, 0);
	assert_true(flat_unmap(&p->flat, 0, 0x10000, &r));
	assert_int_equal(r.pages, 1);
	assert_int_equal(p->frames.freed_n, 1);
	assert_int_equal(p->frames.freed[0].pa, 0x5000);
	assert_int_equal(p->frames.mapped, 0);
}

/* A level-1 block: pages where the range is, level-2 blocks elsewhere. */
static void test_flat_split(void **state)
{
	struct pair *p = *state;

	map_flat(p, 0x40000000, 0x40000000, UINT64_C(1) << 30);
	flat_split(&p->flat, 0x403ff000, 2 * PAGE);
	assert_int_equal(flat_get(&p->flat, 0x40000000, NULL)->level, 2);
	assert_int_equal(flat_get(&p->flat, 0x40200000, NULL)->level, 3);
	assert_int_equal(flat_get(&p->flat, 0x405ff000, NULL)->level, 3);
	assert_int_equal(flat_get(&p->flat, 0x40600000, NULL)->level, 2);
}

/* A block is one leaf, and its frame one use, however large it is. */
static void test_flat_grows_with_leaves(void **state)
{
	struct pair *p = *state;
	const uint64_t gib = UINT64_C(1) << 30;
	struct flat_range r;

	for (uint64_t i = 0; i < 256; i++)
		map_flat(p, i * gib, (256 + i) * gib, gib);
	assert_int_equal(p->frames.mapped, 256);
	assert_int_equal(p->frames.bytes, 256 * gib);
	assert_true(p->frames.slots <= 1024);
	assert_int_equal(p->flat.pages, 256 * gib / PAGE);
	assert_int_equal(flat_next(&p->flat, 17 * gib + PAGE, gib << 9), 17 * gib + PAGE);
	assert_true(flat_unmap(&p->flat, 0, 256 * gib, &r));
	assert_int_equal(r.pages, 256 * gib / PAGE);
	assert_int_equal(p->frames.freed_n, 1);
	assert_int_equal(p->frames.freed[0].size, 256 * gib);
	assert_int_equal(p->frames.bytes, 0);
}

/* Frames of several sizes at the same address: free is what no leaf of any size maps. */
static void test_flat_frames_of_several_sizes(void **state)
{
	struct pair *p = *state;
	const uint64_t gib = UINT64_C(1) << 30;
	struct flat_range r;

	map_flat(p, 4 * gib, 2 * gib, gib);
	map_flat(p, 0, 2 * gib + 2 * BLOCK, BLOCK);
	map_flat(p, BLOCK, 2 * gib + 5 * PAGE, PAGE);
	map_flat(p, 2 * BLOCK, 2 * gib + 2 * BLOCK + PAGE, PAGE);
	/* The block around it stays mapped. */
	assert_true(flat_unmap(&p->flat, 0, BLOCK, &r));
	assert_int_equal(p->frames.freed_n, 0);
	assert_true(flat_unmap(&p->flat, 4 * gib, gib, &r));
	assert_int_equal(p->frames.freed_n, 3);
	assert_int_equal(p->frames.freed[0].pa, 2 * gib);
	assert_int_equal(p->frames.freed[0].size, 5 * PAGE);
	assert_int_equal(p->frames.freed[1].pa, 2 * gib + 6 * PAGE);
	assert_int_equal(p->frames.freed[1].size, 2 * BLOCK - 5 * PAGE);
	assert_int_equal(p->frames.freed[2].pa, 2 * gib + 2 * BLOCK + 2 * PAGE);
	assert_int_equal(p->frames.freed[2].size, gib - 2 * BLOCK - 2 * PAGE);
	assert_true(flat_unmap(&p->flat, 0, gib, &r));
	assert_int_equal(r.pages, 2);
	assert_int_equal(p->frames.freed_n, 5);
	assert_int_equal(p->frames.mapped, 0);
}

/* A fault that gives back what a write-protection took away is told apart. */
static void test_flat_relax_undoes_wrprotect(void **state)
{
	struct pair *p = *state;

	map_both(p);
	assert_false(flat_relax(&p->flat, 0x40000000, S2_W));
	flat_wrprotect(&p->flat, 0x40000000, PAGE);
	assert_false(flat_relax(&p->flat, 0x40000000, S2_R));
	assert_true(flat_relax(&p->flat, 0x40000000, S2_W));
	assert_false(flat_relax(&p->flat, 0x40000000, S2_W));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_missing_in_tables),
		TEST(test_missing_at_the_end),
		TEST(test_missing_in_flat_map),
		TEST(test_other_address),
		TEST(test_other_permissions),
		TEST(test_other_level),
		TEST(test_other_access_flag),
		TEST(test_flat_part_of_a_block),
		TEST(test_flat_larger_and_smaller),
		TEST(test_flat_shared_frame),
		TEST(test_flat_split),
		TEST(test_flat_grows_with_leaves),
		TEST(test_flat_frames_of_several_sizes),
		TEST(test_flat_relax_undoes_wrprotect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
