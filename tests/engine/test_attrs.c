/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attributes beyond read and write: execute for EL0 and EL1 apart, shareability. What
 * is in the descriptor, what may change in place, what is refused.
 */
#include "watched.h"
#include "desc.h"

static unsigned xn_at(uint64_t ipa)
{
	return (unsigned)(bed_lookup(&bed, ipa).desc >> 53 & 3);
}

static unsigned sh_at(uint64_t ipa)
{
	return (unsigned)(bed_lookup(&bed, ipa).desc >> 8 & 3);
}

/* ---- FEAT_XNX ---------------- */

static const struct {
	s2_attr_t exec;
	unsigned xn;
	const char *dump;
} levels[] = { { S2_XU | S2_XP, 0, "rwx" },
	       { S2_XU, 1, "rwu" },
	       { 0, 2, "rw-" },
	       { S2_XP, 3, "rwp" } };

static void each_execute_permission_has_its_encoding(void **state)
{
	char line[S2_DUMP_LINE];
	struct s2_iter it;

	(void)state;
	open_bed(S2_FEAT_XNX);
	for (unsigned i = 0; i < 4; i++) {
		bed_map(&bed, GIB, 4 * GIB, PAGE, RW | levels[i].exec, 0);
		assert_int_equal(xn_at(GIB), levels[i].xn);
		assert_int_equal(bed_lookup(&bed, GIB).attr, RW | levels[i].exec);
		assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(GIB), PAGE), 0);
		assert_true(s2_dump_next(&it, line, sizeof(line)));
		assert_non_null(strstr(line, levels[i].dump));
		bed_unmap(&bed, GIB, PAGE, 0);
	}
	close_bed();
}

/* From every one to every other, by a map: permissions only, so in place. */
static void execute_changes_in_place(void **state)
{
	(void)state;
	open_bed(S2_FEAT_XNX | S2_FEAT_FWB);
	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++) {
			bed_map(&bed, GIB, 4 * GIB, PAGE, RW | levels[from].exec, 0);
			bed_cost(&bed);
			watch_call(&watcher);
			bed_map(&bed, GIB, 4 * GIB, PAGE, RW | levels[to].exec, 0);
			assert_int_equal(xn_at(GIB), levels[to].xn);
			/* Made visible to fetch if a level may that could not. */
			assert_int_equal(bed_cost(&bed).exec_bytes,
					 levels[to].exec & ~levels[from].exec ? PAGE : 0);
			watch_return(&watcher);
		}
	bed_check(&bed);
	close_bed();
}

/* The first or the second of two gains it: pages, and blocks. */
static void execute_for_one_of_two_is_made_visible(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t size = i & 2 ? 2 * MIB : PAGE;

		bed_map(&bed, GIB, 4 * GIB, 2 * size, RWX, 0);
		bed_map(&bed, GIB + (i & 1) * size, 4 * GIB + (i & 1) * size, size, RW,
			0);
		bed_cost(&bed);
		bed_map(&bed, GIB, 4 * GIB, 2 * size, RWX, 0);
		assert_true(bed_cost(&bed).exec_bytes);
		bed_unmap(&bed, GIB, 2 * size, 0);
	}
	close_bed();
}

static void relax_adds_one_level_to_the_other(void **state)
{
	(void)state;
	open_bed(S2_FEAT_XNX | S2_FEAT_FWB);
	for (unsigned from = 0; from < 4; from++)
		for (unsigned add = 0; add < 4; add++) {
			s2_attr_t want = levels[from].exec | levels[add].exec;

			bed_map(&bed, GIB, 4 * GIB, PAGE, S2_R | levels[from].exec, 0);
			bed_cost(&bed);
			assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB),
							S2_W | levels[add].exec, 0),
					 0);
			assert_int_equal(bed_lookup(&bed, GIB).attr, RW | want);
			assert_int_equal(bed_cost(&bed).exec_bytes,
					 want & ~levels[from].exec ? PAGE : 0);
		}
	close_bed();
}

static void one_level_alone_needs_the_feature(void **state)
{
	static const s2_attr_t one[] = { S2_XU, S2_XP };

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(s2_map(&bed.s2, s2_ipa(2 * GIB), s2_pa(4 * GIB), PAGE,
					RW | one[i], 0, NULL),
				 S2_E_ATTR);
		assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), one[i], 0),
				 S2_E_ATTR);
	}
	assert_int_equal(bed_lookup(&bed, GIB).attr, RW);
	assert_int_equal(bed_lookup(&bed, 2 * GIB).state, S2_EMPTY);
	bed_unmap(&bed, GIB, PAGE, 0);
	/* Both together are the encoding that there has always been. */
	bed_map(&bed, GIB, 4 * GIB, PAGE, RWX, 0);
	assert_int_equal(xn_at(GIB), 0);
	close_bed();
}

static void device_executes_at_no_level(void **state)
{
	(void)state;
	open_bed(S2_FEAT_XNX);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW | S2_MEM_DEV_nGRE, 0);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), S2_XU, 0), S2_E_ATTR);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), S2_XP, 0), S2_E_ATTR);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(2 * GIB), s2_pa(4 * GIB), PAGE,
				RW | S2_XP | S2_MEM_DEV_nGRE, 0, NULL),
			 S2_E_ATTR);
	close_bed();
}

/* ---- shareability ---------------- */

static const struct {
	s2_attr_t attr;
	unsigned sh;
} shares[] = { { S2_SH_INNER, 3 }, { S2_SH_OUTER, 2 }, { S2_SH_NONE, 0 } };

static void shareability_is_in_the_descriptor(void **state)
{
	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < 3; i++)
		for (int level = 1; level <= 3; level++) {
			uint64_t size = PAGE << 9 * (3 - level);

			bed_map(&bed, 2 * GIB, 4 * GIB, size, RW | shares[i].attr, 0);
			assert_int_equal(sh_at(2 * GIB), shares[i].sh);
			assert_int_equal(bed_lookup(&bed, 2 * GIB).attr,
					 RW | shares[i].attr);
			bed_unmap(&bed, 2 * GIB, size, 0);
		}
	close_bed();
}

/* Another shareability is another mapping: refused without REPLACE, broken with it. */
static void shareability_takes_break_before_make(void **state)
{
	(void)state;
	open_bed(0);
	for (unsigned from = 0; from < 3; from++)
		for (unsigned to = 0; to < 3; to++) {
			s2_attr_t old = RW | shares[from].attr,
				  new = RW | shares[to].attr;

			bed_map(&bed, GIB, 4 * GIB, PAGE, old, 0);
			bed_cost(&bed);
			if (from == to)
				continue;
			assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB),
						PAGE, new, 0, NULL),
					 S2_E_EXIST);
			assert_int_equal(bed_cost(&bed).tlbi, 0);
			watch_call(&watcher);
			bed_map(&bed, GIB, 4 * GIB, PAGE, new, S2_MAP_REPLACE);
			watch_return(&watcher);
			assert_true(watcher.invalidated);
			assert_int_equal(sh_at(GIB), shares[to].sh);
			bed_unmap(&bed, GIB, PAGE, 0);
		}
	close_bed();
}

/* With LPA2 the field is two bits of the address. */
static void shareability_has_no_room_with_lpa2(void **state)
{
	(void)state;
	open_bed(S2_FEAT_LPA2);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(s2_map(&bed.s2, s2_ipa(GIB), s2_pa(4 * GIB), PAGE,
					RW | shares[i].attr, 0, NULL),
				 S2_E_ATTR);
	assert_int_equal(bed_tables(&bed), 0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW | S2_SH_INNER, 0);
	assert_int_equal(sh_at(GIB), 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, RW);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_execute_permission_has_its_encoding),
		cmocka_unit_test(execute_changes_in_place),
		cmocka_unit_test(execute_for_one_of_two_is_made_visible),
		cmocka_unit_test(relax_adds_one_level_to_the_other),
		cmocka_unit_test(one_level_alone_needs_the_feature),
		cmocka_unit_test(device_executes_at_no_level),
		cmocka_unit_test(shareability_is_in_the_descriptor),
		cmocka_unit_test(shareability_takes_break_before_make),
		cmocka_unit_test(shareability_has_no_room_with_lpa2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
