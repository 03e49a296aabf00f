/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Modes that do not go together are refused by name, and nothing is changed: a shared
 * call has no budget and no batch, an unmap beside others no log and no annotations to
 * keep; a batch is of unmaps, and nobody changes what it has unmapped before its flush.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage2_port.h"

#include <stage2/stage2.h>

#define IPA UINT64_C(0x40000000)
#define PA UINT64_C(0x80000000)
#define PAGE UINT64_C(0x1000)
#define BLOCK UINT64_C(0x200000)
#define RW (S2_R | S2_W)

struct bed {
	struct pool pool;
	struct s2_limbo limbo;
	struct s2_batch batch;
	struct s2 s2;
};

static int open_bed(void **state)
{
	static struct bed b;
	struct s2_config cfg = { .ipa_bits = 35,
				 .pa_bits = 40,
				 .features = S2_FEAT_HAFDBS | S2_FEAT_DBM,
				 .port = &b.pool };

	b = (struct bed){ 0 };
	pthread_mutex_init(&b.pool.lock, NULL);
	b.pool.page = aligned_alloc(4096, POOL_PAGES * 4096);
	assert_non_null(b.pool.page);
	for (unsigned i = 0; i < POOL_PAGES; i++)
		b.pool.free[b.pool.nfree++] = (uint16_t)i;
	assert_int_equal(s2_init(&b.s2, &cfg), 0);
	assert_int_equal(s2_map(&b.s2, s2_ipa(IPA), s2_pa(PA), 4 * PAGE, RW, 0, NULL), 0);
	assert_int_equal(s2_map(&b.s2, s2_ipa(IPA + BLOCK), s2_pa(PA + BLOCK), BLOCK, RW,
				S2_MAP_PAGES, NULL),
			 0);
	*state = &b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	if (b->s2.batch)
		assert_int_equal(s2_batch_end(&b->s2, &b->batch, NULL), 0);
	assert_int_equal(s2_release(&b->s2, &b->limbo, NULL), 0);
	assert_int_equal(s2_destroy(&b->s2, 0, NULL), 0);
	assert_int_equal(b->pool.nfree, POOL_PAGES);
	free(b->pool.page);
	return 0;
}

/* Every call that takes an op, by a number; the range is mapped unless it says so. */
enum { MAP, MAP_NEW, UNMAP, WRPROTECT, AGE, DIRTY, SPLIT, COLLAPSE, CLEAN, COUNT, CALLS };

static uint64_t bits[8];

static int call(struct bed *b, int which, uint64_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op)
{
	struct s2_dirty_log log = { s2_ipa(IPA), 2 * BLOCK / 8, bits, false };
	struct s2_survey survey;
	s2_ipa_t at = s2_ipa(ipa);
	s2_pa_t pa = s2_pa(ipa - IPA + PA);
	bool young = false;

	switch (which) {
	case MAP:
		return s2_map(&b->s2, at, pa, size, RW, flags | S2_MAP_PAGES, op);
	case MAP_NEW:
		return s2_map(&b->s2, at, s2_pa(pa.pa + 8 * BLOCK), size, RW,
			      flags | S2_MAP_PAGES | S2_MAP_REPLACE, op);
	case UNMAP:
		return s2_unmap(&b->s2, at, size, flags, op);
	case WRPROTECT:
		return s2_wrprotect(&b->s2, at, size, flags, op);
	case AGE:
		return s2_age(&b->s2, at, size, flags, &young, op);
	case DIRTY:
		return s2_dirty(&b->s2, at, size, flags, &log, op);
	case SPLIT:
		return s2_split(&b->s2, at, size, flags, op);
	case COLLAPSE:
		return s2_collapse(&b->s2, at, size, flags, op);
	case CLEAN:
		return s2_clean(&b->s2, at, size, flags, op);
	default:
		return s2_survey(&b->s2, at, size, flags, &survey, op);
	}
}

/* Everything that a call could have changed, in one number. */
static uint64_t tables_now(const struct bed *b)
{
	uint64_t h = b->pool.nfree;

	for (unsigned i = 0; i < POOL_PAGES; i++) {
		for (unsigned e = 0; e < 512; e++)
			h = (h ^ b->pool.page[i][e]) * UINT64_C(0x100000001b3);
		h = (h ^ b->pool.meta[i][0]) * UINT64_C(0x100000001b3);
	}
	return h ^ b->s2.tags;
}

static void refused(struct bed *b, int which, uint64_t ipa, uint32_t flags,
		    struct s2_op *op, int error)
{
	uint64_t before = tables_now(b);
	int ret = call(b, which, ipa, PAGE, flags, op);

	if (ret != error)
		fail_msg("call %d: %s, expected %s", which, s2_strerror(ret),
			 s2_strerror(error));
	assert_true(tables_now(b) == before);
}

static void shared_calls_have_no_budget(void **state)
{
	struct bed *b = *state;

	for (int i = 0; i < CALLS; i++) {
		struct s2_op entries = { .limbo = &b->limbo, .max_entries = 4096 };
		struct s2_op bytes = { .limbo = &b->limbo, .max_bytes = 4 * BLOCK };

		refused(b, i, IPA, S2_SHARED, &entries, S2_E_BUDGET);
		refused(b, i, IPA, S2_SHARED, &bytes, S2_E_BUDGET);
	}
}

static void shared_calls_have_no_log_of_what_goes(void **state)
{
	struct bed *b = *state;
	struct s2_dirty_log log = { s2_ipa(IPA), 4 * PAGE, bits, false };
	struct s2_op op = { .limbo = &b->limbo, .dirty = &log };

	refused(b, UNMAP, IPA, S2_SHARED, &op, S2_E_FLAGS);
	refused(b, MAP, IPA, S2_SHARED, &op, S2_E_FLAGS);
	refused(b, MAP_NEW, IPA, S2_SHARED, &op, S2_E_FLAGS);
	/* What it takes away it can tell of. */
	assert_int_equal(call(b, WRPROTECT, IPA, PAGE, S2_SHARED, &op), 0);
}

static void shared_calls_keep_no_annotations(void **state)
{
	struct bed *b = *state;
	struct s2_op op = { .limbo = &b->limbo };

	refused(b, UNMAP, IPA, S2_SHARED | S2_KEEP_NOTES, &op, S2_E_FLAGS);
	assert_int_equal(call(b, UNMAP, IPA, PAGE, S2_KEEP_NOTES, NULL), 0);
}

static void shared_calls_go_with_no_batch(void **state)
{
	struct bed *b = *state;
	struct s2_op op = { .limbo = &b->limbo };

	assert_int_equal(s2_batch_begin(&b->s2, &b->batch), 0);
	for (int i = 0; i < CALLS; i++)
		refused(b, i, IPA, S2_SHARED, &op, S2_E_BATCH);
	op.batch = &b->batch;
	refused(b, UNMAP, IPA, S2_SHARED, &op, S2_E_BATCH);
}

static void batches_are_of_unmaps(void **state)
{
	struct bed *b = *state;
	struct s2_op op = { .batch = &b->batch };

	assert_int_equal(s2_batch_begin(&b->s2, &b->batch), 0);
	for (int i = 0; i < CALLS; i++)
		if (i != UNMAP)
			refused(b, i, IPA, 0, &op, S2_E_BATCH);
	assert_int_equal(call(b, UNMAP, IPA, PAGE, 0, &op), 0);
}

static void batches_have_no_budget(void **state)
{
	struct bed *b = *state;
	struct s2_op entries = { .batch = &b->batch, .max_entries = 4096 };
	struct s2_op bytes = { .batch = &b->batch, .max_bytes = 4 * BLOCK };
	struct s2_op op = { .batch = &b->batch };

	assert_int_equal(s2_batch_begin(&b->s2, &b->batch), 0);
	refused(b, UNMAP, IPA, 0, &entries, S2_E_BUDGET);
	refused(b, UNMAP, IPA, 0, &bytes, S2_E_BUDGET);
	assert_int_equal(call(b, UNMAP, IPA, PAGE, 0, &op), 0);
	entries.batch = bytes.batch = NULL;
	assert_int_equal(s2_batch_flush(&b->s2, &b->batch, &entries), S2_E_BUDGET);
	assert_int_equal(s2_batch_end(&b->s2, &b->batch, &bytes), S2_E_BUDGET);
}

static void nobody_changes_what_a_batch_has_unmapped(void **state)
{
	static const int changes[] = { MAP, MAP_NEW, UNMAP, WRPROTECT, SPLIT, COLLAPSE };
	struct bed *b = *state;
	struct s2_op in = { .batch = &b->batch }, op = { 0 };
	struct s2_op steps = { .max_entries = 4096 };
	struct s2_mapping m;

	assert_int_equal(s2_batch_begin(&b->s2, &b->batch), 0);
	assert_int_equal(call(b, UNMAP, IPA + PAGE, PAGE, 0, &in), 0);
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		refused(b, changes[i], IPA + PAGE, 0, &op, S2_E_BATCH);
		refused(b, changes[i], IPA + PAGE, 0, &steps, S2_E_BATCH);
	}
	/* Not of the whole table either; but next to it, and looks. */
	assert_int_equal(call(b, UNMAP, IPA, BLOCK, 0, &op), S2_E_BATCH);
	assert_int_equal(call(b, UNMAP, IPA, PAGE, 0, &op), 0);
	assert_int_equal(call(b, MAP, IPA, PAGE, 0, &op), 0);
	assert_int_equal(call(b, CLEAN, IPA, BLOCK, 0, &op), 0);
	assert_int_equal(call(b, COUNT, IPA, BLOCK, 0, &op), 0);
	assert_int_equal(s2_lookup(&b->s2, s2_ipa(IPA + PAGE), &m), 0);
	assert_int_equal(m.state, S2_BUSY);
	assert_int_equal(s2_batch_flush(&b->s2, &b->batch, NULL), 0);
	assert_int_equal(call(b, MAP, IPA + PAGE, PAGE, 0, &op), 0);
}

static void a_collapse_looks_at_a_whole_table_in_one_step(void **state)
{
	struct bed *b = *state;
	struct s2_op less = { .max_entries = 1023 }, enough = { .max_entries = 1024 };
	int ret;

	refused(b, COLLAPSE, IPA, 0, &less, S2_E_BUDGET);
	while ((ret = call(b, COLLAPSE, IPA + BLOCK, BLOCK, 0, &enough)) == S2_MORE)
		;
	assert_int_equal(ret, 0);
	assert_int_equal(enough.changed, 1);
}

static void what_of_an_op_may_change_between_steps(void **state)
{
	struct bed *b = *state;
	struct s2_op op = { .max_entries = 512 }, other;
	int ret = call(b, UNMAP, IPA, 2 * BLOCK, 0, &op);

	assert_int_equal(ret, S2_MORE);
	other = op;
	other.limbo = &b->limbo;
	assert_int_equal(call(b, UNMAP, IPA, 2 * BLOCK, 0, &other), S2_E_RESUME);
	assert_int_equal(call(b, UNMAP, IPA, BLOCK, 0, &op), S2_E_RESUME);
	assert_int_equal(call(b, UNMAP, IPA, 2 * BLOCK, S2_NO_CLEAN, &op), S2_E_RESUME);
	op.max_entries = 600;
	op.max_bytes = BLOCK;
	op.cookie = b;
	while ((ret = call(b, UNMAP, IPA, 2 * BLOCK, 0, &op)) == S2_MORE)
		op.max_entries = 0;
	assert_int_equal(ret, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bed, close_bed)
		TEST(shared_calls_have_no_budget),
		TEST(shared_calls_have_no_log_of_what_goes),
		TEST(shared_calls_keep_no_annotations),
		TEST(shared_calls_go_with_no_batch),
		TEST(batches_are_of_unmaps),
		TEST(batches_have_no_budget),
		TEST(nobody_changes_what_a_batch_has_unmapped),
		TEST(a_collapse_looks_at_a_whole_table_in_one_step),
		TEST(what_of_an_op_may_change_between_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
