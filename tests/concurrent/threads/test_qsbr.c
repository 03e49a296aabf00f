/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ports/qsbr, one thread playing all: when a grace period is over, what is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage2_port.h"
#include "../../../ports/qsbr/s2_qsbr.h"

#define READERS 3
#define IPA UINT64_C(0x40000000)
#define PAGE UINT64_C(0x1000)

struct bed {
	struct s2_qsbr q;
	struct s2_qsbr_reader r[READERS];
	struct s2_qsbr_limbo limbo;
	struct pool pool;
	struct s2 s2;
};

static int open_bed(void **state)
{
	static struct bed b;
	struct s2_config cfg = { .ipa_bits = 35, .pa_bits = 40, .port = &b.pool };

	b = (struct bed){ 0 };
	s2_qsbr_init(&b.q, b.r, READERS);
	pthread_mutex_init(&b.pool.lock, NULL);
	b.pool.page = aligned_alloc(4096, POOL_PAGES * 4096);
	assert_non_null(b.pool.page);
	for (unsigned i = 0; i < POOL_PAGES; i++)
		b.pool.free[b.pool.nfree++] = (uint16_t)i;
	assert_int_equal(s2_init(&b.s2, &cfg), 0);
	*state = &b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	assert_int_equal(s2_destroy(&b->s2, 0, NULL), 0);
	assert_int_equal(b->pool.nfree, POOL_PAGES);
	free(b->pool.page);
	return 0;
}

static unsigned tables(const struct bed *b)
{
	return POOL_PAGES - 1 - b->pool.nfree;
}

/* Map a page and take it away: two tables are then in limbo. */
static void detach(struct bed *b)
{
	struct s2_op op = { .limbo = &b->limbo.filling };

	assert_int_equal(
		s2_map(&b->s2, s2_ipa(IPA), s2_pa(IPA), PAGE, S2_R, S2_SHARED, &op), 0);
	assert_int_equal(s2_unmap(&b->s2, s2_ipa(IPA), PAGE, S2_SHARED, &op), 0);
}

static bool reclaim(struct bed *b)
{
	return s2_qsbr_reclaim(&b->q, &b->limbo, &b->s2, NULL);
}

static void nobody_on_line_nothing_to_wait_for(void **state)
{
	struct bed *b = *state;

	detach(b);
	assert_int_equal(tables(b), 2);
	assert_false(reclaim(b)); /* begins the period */
	assert_int_equal(tables(b), 2);
	assert_true(reclaim(b));
	assert_int_equal(tables(b), 0);
}

static void a_period_waits_for_each_reader_on_line(void **state)
{
	struct bed *b = *state;
	uint64_t period;

	for (unsigned i = 0; i < READERS; i++)
		s2_qsbr_online(&b->q, &b->r[i]);
	period = s2_qsbr_begin(&b->q);
	for (unsigned i = 0; i < READERS; i++) {
		assert_false(s2_qsbr_over(&b->q, period));
		s2_qsbr_quiescent(&b->q, &b->r[i]);
	}
	assert_true(s2_qsbr_over(&b->q, period));
	/* Once over it stays over, and says nothing about the next. */
	assert_false(s2_qsbr_over(&b->q, s2_qsbr_begin(&b->q)));
	assert_true(s2_qsbr_over(&b->q, period));
}

static void who_comes_on_line_later_is_not_waited_for(void **state)
{
	struct bed *b = *state;
	uint64_t period = s2_qsbr_begin(&b->q);

	s2_qsbr_online(&b->q, &b->r[1]);
	assert_true(s2_qsbr_over(&b->q, period));
	assert_false(s2_qsbr_over(&b->q, s2_qsbr_begin(&b->q)));
}

static void off_line_is_a_quiescent_state(void **state)
{
	struct bed *b = *state;
	uint64_t period;

	s2_qsbr_online(&b->q, &b->r[2]);
	period = s2_qsbr_begin(&b->q);
	assert_false(s2_qsbr_over(&b->q, period));
	s2_qsbr_offline(&b->r[2]);
	assert_true(s2_qsbr_over(&b->q, period));
}

static void a_quiescent_state_before_the_period_does_not_count(void **state)
{
	struct bed *b = *state;
	uint64_t period;

	s2_qsbr_online(&b->q, &b->r[0]);
	s2_qsbr_quiescent(&b->q, &b->r[0]);
	period = s2_qsbr_begin(&b->q);
	assert_false(s2_qsbr_over(&b->q, period));
	s2_qsbr_quiescent(&b->q, &b->r[0]);
	assert_true(s2_qsbr_over(&b->q, period));
}

static void what_is_detached_later_waits_for_the_next_period(void **state)
{
	struct bed *b = *state;

	s2_qsbr_online(&b->q, &b->r[0]);
	detach(b);
	assert_false(reclaim(b));
	detach(b);
	assert_int_equal(tables(b), 4);
	assert_false(reclaim(b)); /* the reader has said nothing yet */
	assert_int_equal(tables(b), 4);
	s2_qsbr_quiescent(&b->q, &b->r[0]);
	assert_false(reclaim(b)); /* the first two go, a period begins for the others */
	assert_int_equal(tables(b), 2);
	assert_false(reclaim(b));
	assert_int_equal(tables(b), 2);
	s2_qsbr_quiescent(&b->q, &b->r[0]);
	assert_true(reclaim(b));
	assert_int_equal(tables(b), 0);
}

static void a_budget_ends_a_release_which_goes_on(void **state)
{
	struct bed *b = *state;
	struct s2_op detach_op = { .limbo = &b->limbo.filling };
	struct s2_op budget = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	unsigned calls = 0;

	/* Three level-2 tables, each with one below: 512 entries of each are read. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(s2_map(&b->s2, s2_ipa(IPA * (i + 1)), s2_pa(IPA), PAGE,
					S2_R, 0, NULL),
				 0);
	assert_int_equal(s2_unmap(&b->s2, s2_ipa(IPA), 3 * IPA, S2_SHARED, &detach_op),
			 0);
	assert_int_equal(tables(b), 6);
	while (!s2_qsbr_reclaim(&b->q, &b->limbo, &b->s2, &budget))
		assert_true(++calls < 10);
	assert_true(calls > 2);
	assert_int_equal(tables(b), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_on_line_nothing_to_wait_for),
		TEST(a_period_waits_for_each_reader_on_line),
		TEST(who_comes_on_line_later_is_not_waited_for),
		TEST(off_line_is_a_quiescent_state),
		TEST(a_quiescent_state_before_the_period_does_not_count),
		TEST(what_is_detached_later_waits_for_the_next_period),
		TEST(a_budget_ends_a_release_which_goes_on),
	};

	return cmocka_run_group_tests_name("qsbr", tests, NULL, NULL);
}
