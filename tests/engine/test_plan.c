/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The planner: its operands decoded here by the register layouts of the Arm ARM,
 * its choices against a cost rule computed here.
 *
 *   test_plan [SEED]
 */
#include "bed.h"
#include "rnd.h"

#define MAX_PAGES (UINT64_C(1) << 36) /* 48 bits of IPA */
#define RANGE_PAGES (UINT64_C(1) << 21)

/* What src/inval.c states: Linux's measured TLBI, one unit a page too many. */
#define TLBI_COST 525
#define PAGE_COST 1
#define WHOLE_COST (S2_PLAN_OPS * TLBI_COST)

/* One instruction: the pages it covers, its level hint (0: none). */
struct op {
	uint64_t first, pages;
	unsigned level;
};

static struct op decode(enum s2_tlbi kind, uint64_t v)
{
	struct op o = { 0 };

	if (kind == S2_TLBI_IPAS2E1IS) {
		/* TTL [47:44], IPA[51:48] in [39:36], IPA[47:12] in [35:0]; rest RES0 */
		assert_int_equal(v & ~UINT64_C(0xf00fffffffff), 0);
		o.first = v & UINT64_C(0xfffffffff);
		o.pages = 1;
		if (v >> 44) {
			assert_int_equal(v >> 46, 1); /* 4 KiB */
			o.level = (unsigned)(v >> 44 & 3);
			assert_int_not_equal(o.level, 0);
		}
		return o;
	}
	/* TG [47:46], SCALE [45:44], NUM [43:39], TTL [38:37], BaseADDR [36:0] */
	assert_int_equal(v >> 46, 1);
	o.first = v & UINT64_C(0x1fffffffff);
	o.pages = ((v >> 39 & 31) + 1) << (5 * (v >> 44 & 3) + 1);
	o.level = (unsigned)(v >> 37 & 3);
	return o;
}

static uint64_t leaf_pages(unsigned level)
{
	return UINT64_C(1) << 9 * (3 - level);
}

/*
 * Everything that must hold of any plan by address. A leaf is invalidated by any
 * address in it, so without ranges the operands are a leaf apart.
 */
static void check_by_address(uint32_t features, uint64_t first, uint64_t pages,
			     uint64_t stride, unsigned level, const struct s2_plan *plan)
{
	uint64_t next = first, reach = 0;

	for (unsigned i = 0; i < plan->n; i++) {
		struct op o = decode(plan->op[i], plan->operand[i]);

		if (o.level) {
			assert_int_equal(o.level, level);
			/* UNPREDICTABLE otherwise */
			if (plan->op[i] == S2_TLBI_RIPAS2E1IS)
				assert_int_equal(o.first % leaf_pages(level), 0);
		}
		if (plan->op[i] == S2_TLBI_RIPAS2E1IS) {
			assert_true(features & S2_FEAT_TLBIRANGE);
			reach = o.pages;
		} else {
			assert_true(!o.level || features & S2_FEAT_TTL);
			reach = stride - o.first % stride;
		}
		/* In order, no gap, no overlap; a leaf goes by any address in it. */
		if (plan->op[i] == S2_TLBI_RIPAS2E1IS)
			assert_true(o.first == next);
		else
			assert_true(o.first / stride == next / stride);
		next = o.first + reach;
	}
	assert_true(next >= first + pages);
	if (plan->op[plan->n - 1] == S2_TLBI_RIPAS2E1IS)
		assert_true(plan->beyond == (next - first - pages) * PAGE);
	else
		assert_int_equal(plan->beyond, 0);
}

/* Cover @pages by ranges of at least unit 2 << 5 * scale, the rest in base 32. */
static uint64_t cost_ranges(uint64_t pages, int scale)
{
	uint64_t full = pages / RANGE_PAGES, n = full, odd = 0, beyond = 0;
	uint64_t rest = pages % RANGE_PAGES, unit = UINT64_C(2)
						    << 5 * (scale < 0 ? 0 : scale);

	if (scale < 0) {
		odd = rest & 1;
		rest -= odd;
	} else {
		beyond = (unit - rest % unit) % unit;
		rest += beyond;
	}
	for (unsigned shift = 1; shift <= 16; shift += 5)
		n += (rest >> shift & 31) != 0;
	n += rest >> 21;
	n += odd;
	return n > S2_PLAN_OPS ? UINT64_MAX : n * TLBI_COST + beyond * PAGE_COST;
}

static void check_cost(uint32_t features, uint64_t pages, uint64_t leaves,
		       const struct s2_plan *plan)
{
	bool whole = plan->op[0] == S2_TLBI_VMALLS12E1IS;
	uint64_t cost = whole ? WHOLE_COST :
				plan->n * TLBI_COST + plan->beyond / PAGE * PAGE_COST;

	assert_true(cost <= WHOLE_COST);
	if (leaves <= S2_PLAN_OPS)
		assert_true(cost <= leaves * TLBI_COST);
	if (!(features & S2_FEAT_TLBIRANGE))
		return;
	for (int scale = -1; scale < 4; scale++)
		assert_true(cost <= cost_ranges(pages, scale));
}

static void plan_for(uint32_t features, uint64_t ipa, uint64_t size, uint64_t stride,
		     int level, struct s2_plan *plan)
{
	const struct s2_config cfg = { .features = features };

	s2_plan_range(&cfg, ipa, size, stride, level, plan);
}

static void check(uint32_t features, uint64_t first, uint64_t pages, uint64_t stride,
		  unsigned level)
{
	uint64_t leaves = (first % stride + pages + stride - 1) / stride;
	struct s2_plan plan;

	memset(&plan, 0xa5, sizeof(plan));
	plan_for(features, first * PAGE, pages * PAGE, stride * PAGE, (int)level, &plan);
	assert_in_range(plan.n, 1, S2_PLAN_OPS);
	check_cost(features, pages, leaves, &plan);
	if (plan.op[0] == S2_TLBI_VMALLS12E1IS) {
		assert_int_equal(plan.n, 1);
		assert_int_equal(plan.operand[0], 0);
		assert_true(plan.beyond == UINT64_MAX);
		return;
	}
	check_by_address(features, first, pages, stride, level, &plan);
}

static uint32_t plan_features(unsigned i)
{
	return (i & 1 ? S2_FEAT_TLBIRANGE : 0) | (i & 2 ? S2_FEAT_TTL : 0);
}

static void an_empty_range_needs_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct s2_plan plan = { .n = 7, .beyond = 7 };

		plan_for(plan_features(i), GIB, 0, PAGE, 0, &plan);
		assert_int_equal(plan.n, 0);
		assert_int_equal(plan.beyond, 0);
		/* Nor inside a block. */
		plan_for(plan_features(i), GIB + PAGE, 0, 2 * MIB, 2, &plan);
		assert_int_equal(plan.n, 0);
		assert_int_equal(plan.beyond, 0);
	}
}

static void every_small_count(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (uint64_t pages = 1; pages <= 70000; pages++) {
			check(plan_features(i), 0x40001, pages, 1, 0);
			check(plan_features(i), 0x40000, pages, 1, 3);
		}
}

static void every_small_count_of_blocks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (uint64_t n = 1; n <= 6000; n++) {
			check(plan_features(i), 512 * 5, n * 512, 512, 2);
			check(plan_features(i), 512 * 512, n * 512, 512, 2);
			if (n < 200)
				check(plan_features(i), 512 * 512, n * 512 * 512,
				      512 * 512, 1);
		}
}

/* The range's end, not aligned, in the middle of a leaf. */
static void ranges_that_cut_blocks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (uint64_t first = 0; first < 1100; first += 37)
			for (uint64_t pages = 1; pages < 5000; pages += 97)
				check(plan_features(i), first, pages, 512, 2);
}

static void large_ranges(void **state)
{
	static const uint64_t pages[] = {
		RANGE_PAGES - 1,     RANGE_PAGES,	  RANGE_PAGES + 1,
		RANGE_PAGES + 2,     2 * RANGE_PAGES,	  2 * RANGE_PAGES + 512,
		3 * RANGE_PAGES - 1, 8 * RANGE_PAGES - 1, 8 * RANGE_PAGES,
		8 * RANGE_PAGES + 1, 64 * GIB / PAGE,	  64 * GIB / PAGE - 1,
		MAX_PAGES,
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned p = 0; p < sizeof(pages) / sizeof(*pages); p++) {
			uint64_t top = MAX_PAGES - pages[p];

			check(plan_features(i), 0, pages[p], 1, 0);
			check(plan_features(i), top, pages[p], 1, 0);
			check(plan_features(i), 0, pages[p], 1, 3);
		}
}

static void known_plans(void **state)
{
	struct s2_plan plan;

	(void)state;
	/* 1 GiB at 4 KiB: one instruction, SCALE 3, NUM 3. */
	plan_for(S2_FEAT_TLBIRANGE, 0, GIB, PAGE, 0, &plan);
	assert_int_equal(plan.n, 1);
	assert_true(plan.operand[0] ==
		    (UINT64_C(1) << 46 | UINT64_C(3) << 44 | UINT64_C(3) << 39));
	/* Exactly the most that one covers. */
	plan_for(S2_FEAT_TLBIRANGE, 0, 8 * GIB, PAGE, 0, &plan);
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.beyond, 0);
	/* A page. */
	plan_for(S2_FEAT_TLBIRANGE | S2_FEAT_TTL, GIB, PAGE, PAGE, 3, &plan);
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.op[0], S2_TLBI_IPAS2E1IS);
	assert_true(plan.operand[0] == (UINT64_C(7) << 44 | GIB / PAGE));
	/* A range of blocks, its base aligned to one: with the level. */
	plan_for(S2_FEAT_TLBIRANGE, GIB, 64 * MIB, 2 * MIB, 2, &plan);
	assert_int_equal(plan.n, 1);
	assert_true(plan.operand[0] ==
		    (UINT64_C(1) << 46 | UINT64_C(2) << 44 | UINT64_C(7) << 39 |
		     UINT64_C(2) << 37 | GIB / PAGE));
	/* A tie: two blocks' addresses, or two ranges. The first needs no feature. */
	plan_for(S2_FEAT_TLBIRANGE, GIB - 8 * MIB, 8 * MIB + 256 * KIB, GIB, 1, &plan);
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.op[0], S2_TLBI_IPAS2E1IS);
	/* Up to 64 GiB by address, beyond that the whole VMID. */
	plan_for(S2_FEAT_TLBIRANGE, 0, 64 * GIB, PAGE, 0, &plan);
	assert_int_equal(plan.n, 8);
	plan_for(S2_FEAT_TLBIRANGE, 0, 64 * GIB + PAGE, PAGE, 0, &plan);
	assert_int_equal(plan.op[0], S2_TLBI_VMALLS12E1IS);
	/* Without ranges the ninth leaf. */
	plan_for(0, 0, 8 * PAGE, PAGE, 3, &plan);
	assert_int_equal(plan.n, 8);
	plan_for(0, 0, 9 * PAGE, PAGE, 3, &plan);
	assert_int_equal(plan.op[0], S2_TLBI_VMALLS12E1IS);
}

static void random_ranges(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 400000; i++) {
		unsigned level = (unsigned)below(4);
		uint64_t stride = level ? leaf_pages(level) : 1;
		uint64_t pages = (rnd() >> (28 + below(36))) + 1;
		uint64_t first;

		if (below(4))
			pages = (pages + stride - 1) / stride * stride;
		if (pages > MAX_PAGES)
			pages = MAX_PAGES;
		first = below(MAX_PAGES - pages + 1);
		if (below(4))
			first = first / stride * stride;
		check(plan_features(i), first, pages, stride, level);
	}
}

/* With FEAT_LPA2 a range begins at 64 KiB: what is before it is beyond what was asked. */
static void a_base_of_lpa2_is_rounded_down(void **state)
{
	struct s2_config cfg = { .ipa_bits = 52,
				 .pa_bits = 52,
				 .features = S2_FEAT_TLBIRANGE | S2_FEAT_LPA2 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t pages = below(1 << (1 + below(23))) + 1, first = below(1 << 28);
		uint64_t start = UINT64_MAX, next = 0;
		struct s2_plan plan;

		s2_plan_range(&cfg, first * PAGE, pages * PAGE, PAGE, 0, &plan);
		if (plan.op[0] == S2_TLBI_VMALLS12E1IS)
			continue;
		for (unsigned n = 0; n < plan.n; n++) {
			struct op o = decode(plan.op[n], plan.operand[n]);

			if (plan.op[n] != S2_TLBI_IPAS2E1IS)
				o.first *= 64 * KIB / PAGE;
			if (!n)
				start = o.first;
			assert_true(!n || o.first == next);
			next = o.first + o.pages;
		}
		assert_true(start <= first && next >= first + pages);
		assert_true(plan.beyond == (next - start - pages) * PAGE);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_range_needs_nothing),
		cmocka_unit_test(every_small_count),
		cmocka_unit_test(every_small_count_of_blocks),
		cmocka_unit_test(ranges_that_cut_blocks),
		cmocka_unit_test(large_ranges),
		cmocka_unit_test(known_plans),
		cmocka_unit_test(random_ranges),
		cmocka_unit_test(a_base_of_lpa2_is_rounded_down),
	};

	rnd_state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	print_message("# seed %" PRIu64 "\n", rnd_state);
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
