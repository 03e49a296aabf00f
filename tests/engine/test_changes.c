/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What map and the changes in place promise (docs/design.md: P9, P10) and do not. A
 * referee (watch.h) looks at every event of every test.
 */
#include "watched.h"
#include "desc.h"

/* ---- P9: break before make ---------------- */

/* What the referee looks at: every kind of replacement, on every feature set. */
static void replacing_breaks_before_it_makes(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f) | (f & 1 ? S2_FEAT_HAFDBS : 0));
		bed_map(&bed, GIB, 4 * GIB, 4 * MIB, RW, 0);
#define REPLACE(pa, size, attr, flags)                                        \
	do {                                                                  \
		watch_call(&watcher);                                         \
		bed_map(&bed, GIB, pa, size, attr, S2_MAP_REPLACE | (flags)); \
		assert_true(watcher.invalidated);                             \
		watch_return(&watcher);                                       \
	} while (0)
		REPLACE(8 * GIB, 4 * MIB, RW, 0);	      /* another address */
		REPLACE(8 * GIB, 4 * MIB, RW | S2_MEM_NC, 0); /* another type */
		REPLACE(8 * GIB, 4 * MIB, RW | S2_MEM_NC, S2_MAP_PAGES);
		REPLACE(8 * GIB, 4 * MIB, RW | S2_MEM_NC, 0); /* tables by blocks */
		REPLACE(8 * GIB, 4 * MIB, RW, S2_MAP_PAGES);
		REPLACE(16 * GIB, GIB, RW, 0); /* two levels by one */
		REPLACE(8 * GIB, PAGE, RW, S2_SPLIT_EDGES);
		REPLACE(8 * GIB + PAGE, PAGE, RW, S2_SPLIT_EDGES);
		REPLACE(16 * GIB, GIB, RW, 0);
		REPLACE(16 * GIB, 2 * MIB, S2_R, S2_DROP_EDGES); /* a part of it */
		REPLACE(16 * GIB, GIB, RW, 0);
		assert_int_equal(s2_split(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, NULL), 0);
		bed_check(&bed);
		close_bed();
	}
}

static void permissions_change_in_place(void **state)
{
	struct s2_mapping m;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, S2_R, 0);
	bed_cost(&bed);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RWX | S2_SW(3), 0);
	m = bed_lookup(&bed, GIB);
	assert_int_equal(m.attr, RWX | S2_SW(3));
	assert_int_equal(bed_cost(&bed).agents, 1); /* one invalidation */
	/* The same again: nothing. */
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RWX | S2_SW(3), 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	close_bed();
}

/* A leaf that keeps its address stays valid while its neighbour is replaced. */
static void only_what_must_be_is_broken(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
	bed_map(&bed, GIB + PAGE, 8 * GIB, PAGE, RW, 0);
	bed_cost(&bed);
	bed_map(&bed, GIB, 4 * GIB, 2 * PAGE, S2_R, S2_MAP_REPLACE);
	/* The two new ones, and the one that was lost. */
	assert_int_equal(bed_cost(&bed).clean_bytes, 3 * PAGE);
	/* Nothing new, nothing to clean. */
	bed_map(&bed, GIB, 4 * GIB, 2 * PAGE, RW, 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 0);
	close_bed();
}

/* Where a level-1 block would fit, but the walk starts at level 2. */
static void permissions_change_in_place_at_the_start_level(void **state)
{
	(void)state;
	bed_open(&bed, 32, S2_FEAT_FWB, 16);
	bed_map(&bed, GIB, 4 * GIB, GIB, S2_R, 0);
	bed_cost(&bed);
	bed_map(&bed, GIB, 4 * GIB, GIB, S2_R, 0);
	assert_int_equal(bed_cost(&bed).tlbi, 0);
	bed_map(&bed, GIB, 4 * GIB, GIB, RW, 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, RW);
	bed_close(&bed);
}

/* ---- P10: ready before it is valid ---------------- */

static struct {
	bool cleaned, complete, executable;
	uint64_t made, linked;
} seen;

static void order_of_map(enum count_event what, uint64_t at, uint64_t value)
{
	switch (what) {
	case COUNT_CLEAN:
		assert_int_equal(seen.made, 0);
		seen.cleaned = true;
		break;
	case COUNT_DSB_SY:
		seen.complete = seen.cleaned;
		break;
	case COUNT_EXECUTABLE:
		assert_int_equal(seen.made, 0);
		assert_true(seen.complete || !seen.cleaned);
		seen.executable = true;
		break;
	case COUNT_STORE:
		if (desc_valid(value) && desc_oa(&bed.s2, value) >= 64 * GIB) {
			assert_true(seen.complete || !seen.cleaned);
			seen.made++;
		}
		break;
	case COUNT_STORE_RELEASE:
		/* Nothing in the table that is not zero or valid. */
		for (unsigned i = 0; i < ENTRIES; i++) {
			uint64_t d =
				s2_port_table_va(&bed.port, desc_oa(&bed.s2, value))[i];

			assert_true(!d || desc_valid(d));
		}
		seen.linked++;
		break;
	default:
		break;
	}
	(void)at;
}

static void map_one(uint32_t features, s2_attr_t attr, uint32_t flags)
{
	open_bed(features);
	memset(&seen, 0, sizeof(seen));
	watcher.also = order_of_map;
	bed_map(&bed, GIB, 64 * GIB, 4 * MIB, attr, flags | S2_MAP_PAGES);
	watcher.also = NULL;
	assert_int_equal(seen.made, 1024);
	assert_int_equal(seen.linked, 3);
	close_bed();
}

static void new_memory_is_ready_before_it_is_mapped(void **state)
{
	(void)state;
	map_one(0, RWX, 0);
	assert_true(seen.cleaned && seen.executable);
	map_one(0, RW, 0);
	assert_true(seen.cleaned && !seen.executable);
	map_one(S2_FEAT_FWB, RWX, 0);
	assert_true(!seen.cleaned && seen.executable);
	map_one(S2_FEAT_FWB, RW | S2_MEM_NC, 0);
	assert_true(seen.cleaned);
	map_one(S2_FEAT_FWB, RW | S2_MEM_S1, 0);
	assert_true(seen.cleaned);
}

static void device_memory_is_never_cleaned(void **state)
{
	(void)state;
	map_one(0, RW | S2_MEM_DEV_GRE, 0);
	assert_true(!seen.cleaned && !seen.executable);
}

static void map_with_no_clean_readies_nothing(void **state)
{
	(void)state;
	map_one(0, RWX, S2_NO_CLEAN);
	assert_true(!seen.cleaned && !seen.executable);
}

static void a_split_table_is_linked_filled(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FEATURE_SETS; f++) {
		open_bed(feature_set(f));
		bed_map(&bed, 2 * GIB, 4 * GIB, GIB, RW, 0);
		memset(&seen, 0, sizeof(seen));
		watcher.also = order_of_map;
		bed_cost(&bed);
		assert_int_equal(s2_split(&bed.s2, s2_ipa(2 * GIB), 4 * MIB, 0, NULL), 0);
		watcher.also = NULL;
		assert_int_equal(seen.linked, 3);
		/* Everything is still mapped, so nothing is cleaned. */
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		for (uint64_t at = 0; at < GIB; at += 7 * MIB + PAGE)
			assert_true(bed_lookup(&bed, 2 * GIB + at).state == S2_LEAF);
		close_bed();
	}
}

static void a_replaced_leaf_is_cleaned_whole(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_NO_CLEAN);
	bed_cost(&bed);
	bed_map(&bed, GIB + MIB, 8 * GIB, PAGE, RW, S2_MAP_REPLACE | S2_DROP_EDGES);
	assert_int_equal(bed_cost(&bed).clean_bytes, PAGE + 2 * MIB);
	bed_map(&bed, GIB + MIB, 16 * GIB, PAGE, RW, S2_MAP_REPLACE | S2_NO_CLEAN);
	assert_int_equal(bed_cost(&bed).clean_bytes, 0);
	close_bed();
}

/* One DSB, so that the guest does not fault again; with what must go, more. */
static void a_map_costs_a_constant(void **state)
{
	struct cost c;

	(void)state;
	open_bed(S2_FEAT_FWB | S2_FEAT_TLBIRANGE);
	bed_map(&bed, GIB, 4 * GIB, 64 * MIB, RW, S2_MAP_PAGES);
	c = bed_cost(&bed);
	assert_int_equal(c.dsb, 1);
	assert_int_equal(c.tlbi | c.isb | c.agents, 0);
	bed_map(&bed, GIB, 8 * GIB, 64 * MIB, RW, S2_MAP_REPLACE | S2_MAP_PAGES);
	c = bed_cost(&bed);
	assert_int_equal(c.dsb, 3 + 1);
	assert_int_equal(c.agents, 1);
	close_bed();
}

static void execute_is_readied_before_it_is_granted(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, 0);
	bed_cost(&bed);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB + MIB), S2_X, 0), 0);
	assert_int_equal(bed_cost(&bed).exec_bytes, 2 * MIB);
	assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB + MIB), S2_X, 0), 0);
	assert_int_equal(bed_cost(&bed).exec_bytes, 0);
	/* The same by a map, and where execute was there before. */
	bed_map(&bed, 2 * GIB, 8 * GIB, 2 * MIB, RW, 0);
	bed_map(&bed, 2 * GIB, 8 * GIB, 2 * MIB, RWX, 0);
	assert_int_equal(bed_cost(&bed).exec_bytes, 2 * MIB);
	bed_map(&bed, 2 * GIB, 8 * GIB, 2 * MIB, S2_R | S2_X, 0);
	assert_int_equal(bed_cost(&bed).exec_bytes, 0);
	close_bed();
}

/* ---- no promises, and the rest ---------------- */

static void age_does_not_invalidate(void **state)
{
	bool young = false;
	struct cost c;

	(void)state;
	open_bed(S2_FEAT_HAFDBS);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, 0);
	bed_cost(&bed);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, S2_CLEAR, &young, NULL), 0);
	assert_true(young);
	assert_false(bed_lookup(&bed, GIB).young);
	young = false;
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, 0, &young, NULL), 0);
	assert_false(young);
	assert_int_equal(s2_mkyoung(&bed.s2, s2_ipa(GIB), 0), 0);
	assert_true(bed_lookup(&bed, GIB).young);
	c = bed_cost(&bed);
	assert_int_equal(c.tlbi | c.dsb, 0);
	close_bed();
}

/* "Young" is or'ed into, so that it is kept over steps. */
static void age_does_not_reset_what_it_was_given(void **state)
{
	bool young = true;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, S2_CLEAR, &young, NULL), 0);
	assert_true(young);
	close_bed();
}

static void wrprotect_invalidates_once_and_only_if_it_must(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 64 * MIB, RW, S2_MAP_PAGES);
	bed_cost(&bed);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), 64 * MIB, 0, NULL), 0);
	assert_int_equal(bed_cost(&bed).agents, 1);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), 64 * MIB, 0, NULL), 0);
	assert_int_equal(bed_cost(&bed).agents, 0);
	close_bed();
}

/* Unlike unmap: the part outside the range loses its permission too. */
static void wrprotect_does_not_split_a_block_at_the_edge(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, 0);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + MIB), PAGE, 0, NULL), 0);
	assert_int_equal(bed_lookup(&bed, GIB).attr, S2_R);
	assert_int_equal(bed_lookup(&bed, GIB).level, 2);
	close_bed();
}

/* The guest touches a page after the engine's load and before its swap. */
static bool touched;

static void touch_once(enum count_event what, uint64_t at, uint64_t value)
{
	(void)value;
	if (what != COUNT_CAS || touched)
		return;
	touched = true;
	*s2_port_table_va(&bed.port, at) |= DESC_AF;
}

static void an_access_is_not_lost(void **state)
{
	bool young = false;

	(void)state;
	open_bed(S2_FEAT_HAFDBS);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW, 0);
	assert_int_equal(s2_age(&bed.s2, s2_ipa(GIB), PAGE, S2_CLEAR, &young, NULL), 0);
	touched = false;
	watcher.also = touch_once;
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB), PAGE, 0, NULL), 0);
	watcher.also = NULL;
	assert_true(touched);
	assert_true(bed_lookup(&bed, GIB).young);
	assert_int_equal(bed_lookup(&bed, GIB).attr, S2_R);
	close_bed();
}

/* What is broken has no age, no permission, and nothing to clean but by unmap. */
static void changes_in_place_leave_a_parked_leaf_alone(void **state)
{
	struct s2_survey found;
	struct s2_op op, other = { 0 };
	struct s2 *s2 = &bed.s2;
	bool young = false;
	uint64_t marker;

	(void)state;
	open_bed(0);
	/* Beside a block that stays: the table is looked through as a loop. */
	bed_map(&bed, 2 * GIB, 8 * GIB, GIB, RW, S2_NO_CLEAN);
	bed_park(&bed, &op, GIB, 4 * GIB);
	marker = *bed_entry(&bed, GIB, 1);
	assert_int_equal(s2_wrprotect(s2, s2_ipa(GIB), GIB, 0, &other), 0);
	assert_int_equal(other.changed, 0);
	assert_int_equal(s2_age(s2, s2_ipa(GIB), GIB, S2_CLEAR, &young, &other), 0);
	assert_int_equal(other.changed, 0);
	assert_false(young);
	assert_int_equal(s2_clean(s2, s2_ipa(GIB), GIB, 0, NULL), 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 0);
	assert_int_equal(s2_survey(s2, s2_ipa(GIB), GIB, 0, &found, NULL), 0);
	assert_true(!found.mapped && found.busy == GIB && !found.uniform);
	assert_int_equal(s2_split(s2, s2_ipa(GIB), GIB, 0, &other), 0);
	assert_int_equal(other.changed, 0);
	assert_int_equal(s2_collapse(s2, s2_ipa(0), 4 * GIB, 0, &other), 0);
	assert_int_equal(other.changed, 0);
	/* Its neighbour changes alone. */
	assert_int_equal(s2_wrprotect(s2, s2_ipa(GIB), 2 * GIB, 0, &other), 0);
	assert_int_equal(other.changed, 1);
	assert_true(*bed_entry(&bed, GIB, 1) == marker);
	bed_end_park(&bed, &op, GIB);
	close_bed();
}

/*
 * This PE's copy alone, and each time: it may have faulted on one that is older than
 * another PE's relax.
 */
static void relaxing_invalidates_on_this_pe(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, PAGE, S2_R, 0);
	for (int i = 0; i < 2; i++) {
		uint64_t wide = bed.s2.tlbis[S2_TLBI_IPAS2E1IS];
		struct cost cost;

		bed_cost(&bed);
		assert_int_equal(s2_relax_perms(&bed.s2, s2_ipa(GIB), S2_W, 0), 0);
		cost = bed_cost(&bed);
		assert_int_equal(cost.tlbi, 2);
		assert_int_equal(cost.dsb, 3);
		assert_int_equal(cost.agents, 1);
		assert_int_equal(bed.s2.tlbis[S2_TLBI_IPAS2E1IS], wide);
	}
	close_bed();
}

static uint64_t first_cleaned;

static void where_is_cleaned(enum count_event what, uint64_t at, uint64_t value)
{
	(void)value;
	if (what == COUNT_CLEAN && at < first_cleaned)
		first_cleaned = at;
}

static void clean_cleans_the_range_and_unmaps_nothing(void **state)
{
	struct cost c;

	(void)state;
	open_bed(0);
	bed_map(&bed, GIB, 4 * GIB, 4 * MIB, RW, 0);
	bed_cost(&bed);
	first_cleaned = UINT64_MAX;
	watcher.also = where_is_cleaned;
	assert_int_equal(s2_clean(&bed.s2, s2_ipa(GIB + MIB), 2 * MIB, 0, NULL), 0);
	watcher.also = NULL;
	c = bed_cost(&bed);
	assert_true(first_cleaned == 4 * GIB + MIB);
	assert_int_equal(c.clean_bytes, 2 * MIB);
	assert_int_equal(c.dsb, 1);
	assert_int_equal(c.tlbi, 0);
	assert_int_equal(bed_lookup(&bed, GIB + MIB).state, S2_LEAF);
	/* Device never. */
	bed_map(&bed, 2 * GIB, 8 * GIB, PAGE, RW | S2_MEM_DEV_GRE, 0);
	assert_int_equal(s2_clean(&bed.s2, s2_ipa(2 * GIB), PAGE, 0, NULL), 0);
	c = bed_cost(&bed);
	assert_int_equal(c.clean_bytes, 0);
	assert_int_equal(c.dsb, 1); /* of the map */
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replacing_breaks_before_it_makes),
		cmocka_unit_test(permissions_change_in_place),
		cmocka_unit_test(only_what_must_be_is_broken),
		cmocka_unit_test(permissions_change_in_place_at_the_start_level),
		cmocka_unit_test(new_memory_is_ready_before_it_is_mapped),
		cmocka_unit_test(device_memory_is_never_cleaned),
		cmocka_unit_test(map_with_no_clean_readies_nothing),
		cmocka_unit_test(a_split_table_is_linked_filled),
		cmocka_unit_test(a_replaced_leaf_is_cleaned_whole),
		cmocka_unit_test(a_map_costs_a_constant),
		cmocka_unit_test(execute_is_readied_before_it_is_granted),
		cmocka_unit_test(age_does_not_invalidate),
		cmocka_unit_test(age_does_not_reset_what_it_was_given),
		cmocka_unit_test(wrprotect_invalidates_once_and_only_if_it_must),
		cmocka_unit_test(wrprotect_does_not_split_a_block_at_the_edge),
		cmocka_unit_test(an_access_is_not_lost),
		cmocka_unit_test(changes_in_place_leave_a_parked_leaf_alone),
		cmocka_unit_test(relaxing_invalidates_on_this_pe),
		cmocka_unit_test(clean_cleans_the_range_and_unmaps_nothing),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
