/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2_collapse() beside other shared calls: one thread plays all, at the moment when the
 * table is broken and not yet invalidated.
 */
#include "reshape.h"
#include "rnd.h"

/* ---- shared ---------------- */

static void fill_by_chance(void)
{
	for (uint64_t at = 0; at < GIB / 8; at += BLOCK) {
		uint64_t ipa = GIB + at, pa = 4 * GIB + at, page = below(ENTRIES) * PAGE;

		switch (below(8)) {
		case 0:
			bed_map(&bed, ipa, pa, BLOCK, RW, 0);
			break;
		case 1:
			bed_map(&bed, ipa, pa + PAGE, BLOCK, RW, S2_MAP_PAGES);
			break;
		case 2:
			bed_map(&bed, ipa, pa, BLOCK, RW, S2_MAP_PAGES);
			bed_unmap(&bed, ipa + page, PAGE, 0);
			break;
		case 3:
			bed_map(&bed, ipa, pa, BLOCK, RW, S2_MAP_PAGES);
			bed_map(&bed, ipa + page, pa + page, PAGE, S2_R, 0);
			break;
		default:
			bed_map(&bed, ipa, pa, BLOCK, RW, S2_MAP_PAGES);
		}
	}
}

static void shared_and_exclusive_calls_agree(void **state)
{
	struct s2_limbo limbo = { 0 };
	uint64_t result[3];

	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		/* All at once; in steps; beside others. */
		for (unsigned how = 0; how < 3; how++) {
			struct s2_op op = { .limbo = how ? &limbo : NULL,
					    .max_entries = how == 1 ? 2 * ENTRIES : 0 };
			unsigned steps;

			rnd_state = seed;
			open_bed(feature_set((unsigned)seed));
			fill_by_chance();
			watch_call(&watcher);
			steps = collapse_by(GIB, GIB, how == 2 ? S2_SHARED : 0, &op);
			assert_true(how == 1 ? steps > 1 : steps == 1);
			assert_int_equal(bed.s2.tags, 1);
			assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
			bed_check(&bed);
			result[how] = digest();
			close_bed();
		}
		assert_true(result[0] == result[1] && result[0] == result[2]);
	}
}

/* What somebody else does while the table is broken, before the TLBI. */
static void (*meanwhile)(void);

static void at_the_invalidation(enum count_event what, uint64_t at, uint64_t value)
{
	void (*act)(void) = meanwhile;

	(void)at;
	(void)value;
	if (what != COUNT_DSB_ISHST || !act)
		return;
	meanwhile = NULL;
	bed.port.record = NULL;
	act();
	watch_start(&bed, &watcher);
}

static uint64_t *late; /* an entry in the table, found before it was broken */

static void a_late_wrprotect(void)
{
	*late &= ~DESC_S2AP_W;
}

static void a_late_unmap(void)
{
	*late = 0;
}

static void a_late_mkyoung(void)
{
	*late |= DESC_AF;
}

/* A change through a path that was cut off: the table comes back, or the block has it. */
static void a_late_change_is_not_lost(void **state)
{
	static void (*const change[])(void) = { a_late_wrprotect, a_late_unmap,
						a_late_mkyoung };
	static const unsigned page[] = { 0, 5, ENTRIES - 1 };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned p = 0; p < 3; p++) {
			struct s2_limbo limbo = { 0 };
			struct s2_op op = { .limbo = &limbo };
			uint64_t seen;
			bool young = false;

			/* A shared call breaks, with FEAT_BBM too. */
			bed_open(&bed, IPA_BITS, S2_FEAT_FWB | S2_FEAT_BBM2, 16);
			watcher = (struct watch){ 0 };
			watch_start(&bed, &watcher);
			bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
			s2_age(&bed.s2, s2_ipa(GIB), BLOCK, S2_CLEAR, &young, NULL);
			late = bed_entry(&bed, GIB + page[p] * PAGE, 3);
			meanwhile = change[i];
			watcher.also = at_the_invalidation;
			collapse_by(GIB, BLOCK, S2_SHARED, &op);
			assert_null(meanwhile);
			if (change[i] == a_late_mkyoung) {
				assert_int_equal(level_at(GIB), 2);
				assert_true(bed_lookup(&bed, GIB).young);
			} else {
				/* All of it as it was, but for the change. */
				assert_int_equal(limbo.tables, 0);
				seen = *late;
				change[i]();
				assert_true(seen == *late);
				for (unsigned j = 0; j < ENTRIES; j++)
					assert_true(j == page[p] ||
						    *bed_entry(&bed, GIB + j * PAGE, 3) ==
							    desc_leaf(&bed.s2,
								      4 * GIB + j * PAGE,
								      RW, 3) -
								    DESC_AF);
				*late = desc_leaf(&bed.s2, 4 * GIB + page[p] * PAGE, RW,
						  3);
			}
			assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
			bed_check(&bed);
			close_bed();
		}
}

/* Other shared calls find the table broken: they wait, and change nothing. */
static void others_meet_it(void)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	struct s2 *s2 = &bed.s2;
	s2_ipa_t page = s2_ipa(GIB + PAGE);
	bool young = false;

	assert_int_equal(bed_lookup(&bed, GIB + PAGE).state, S2_BUSY);
	assert_int_equal(s2_map(s2, page, s2_pa(4 * GIB + PAGE), PAGE, RW, S2_SHARED,
				&op),
			 S2_E_BUSY);
	assert_int_equal(s2_relax_perms(s2, page, S2_X, S2_SHARED), S2_E_BUSY);
	assert_int_equal(s2_mkyoung(s2, page, S2_SHARED), S2_E_BUSY);
	op = (struct s2_op){ 0 };
	assert_int_equal(s2_wrprotect(s2, page, PAGE, S2_SHARED, &op), S2_MORE);
	op = (struct s2_op){ 0 };
	assert_int_equal(s2_age(s2, page, PAGE, S2_SHARED, &young, &op), S2_MORE);
	op = (struct s2_op){ .limbo = &limbo };
	assert_int_equal(s2_unmap(s2, page, PAGE, S2_SHARED | S2_DROP_EDGES, &op),
			 S2_MORE);
	op = (struct s2_op){ .limbo = &limbo };
	assert_int_equal(s2_collapse(s2, s2_ipa(GIB), GIB, S2_SHARED, &op), 0);
	/* The table beside it, and not the one that somebody else has broken. */
	assert_int_equal(op.changed, 1);
	assert_int_equal(bed_lookup(&bed, GIB).state, S2_BUSY);
	assert_int_equal(level_at(GIB + BLOCK), 2);
	assert_int_equal(s2_release(s2, &limbo, NULL), 0);
}

static void other_shared_calls_wait(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * BLOCK, RW, S2_MAP_PAGES);
	meanwhile = others_meet_it;
	watcher.also = at_the_invalidation;
	collapse_by(GIB, BLOCK, S2_SHARED, &op);
	assert_null(meanwhile);
	assert_int_equal(level_at(GIB), 2);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	bed_check(&bed);
	close_bed();
}

static void without_a_tag_it_waits(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, BLOCK, RW, S2_MAP_PAGES);
	bed_cost(&bed);
	bed.s2.tags = UINT64_MAX;
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(GIB), BLOCK, S2_SHARED, &op),
			 S2_MORE);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	assert_int_equal(level_at(GIB), 3);
	bed.s2.tags = 1;
	collapse_by(GIB, BLOCK, S2_SHARED, &op);
	assert_int_equal(level_at(GIB), 2);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_and_exclusive_calls_agree),
		cmocka_unit_test(a_late_change_is_not_lost),
		cmocka_unit_test(other_shared_calls_wait),
		cmocka_unit_test(without_a_tag_it_waits),
	};

	return cmocka_run_group_tests_name("collapse-shared", tests, NULL, NULL);
}
