/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parsing and reporting of s2lab, where the command line cannot show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compare/compare.h"
#include "common/options.h"
#include "common/report.h"

static void numbers_are_exact_or_refused(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(lab_parse_size("--x", "0x1Fg", &n));
	assert_int_equal(n, UINT64_C(31) << 30);
	assert_true(lab_parse_size("--x", "18446744073709551615", &n));
	assert_int_equal(n, UINT64_MAX);
	assert_true(lab_parse_size("--x", "16777215T", &n));
	assert_int_equal(n, UINT64_C(16777215) << 40);
	assert_true(lab_parse_number("--x", "010", 10, 10, &n));
	assert_int_equal(n, 10);
	assert_false(lab_parse_size("--x", "", &n));
	assert_false(lab_parse_size("--x", " 4k", &n));
	assert_false(lab_parse_size("--x", "4kk", &n));
	assert_false(lab_parse_size("--x", "4Kb", &n));
	assert_false(lab_parse_size("--x", "4KiBs", &n));
	assert_false(lab_parse_size("--x", "4K +", &n));
	assert_false(lab_parse_size("--x", "4K 4K", &n));
	assert_false(lab_parse_size("--x", "16777215T + 1024G", &n));
	assert_false(lab_parse_size("--x", "+4k", &n));
	assert_false(lab_parse_size("--x", "16777216T", &n));
	assert_false(lab_parse_number("--x", "4k", 0, UINT64_MAX, &n));
	assert_false(lab_parse_number("--x", "9", 10, 11, &n));
	assert_false(lab_parse_number("--x", "12", 10, 11, &n));
	assert_int_equal(n, 10);
}

static void feature_names_survive_the_way_back(void **state)
{
	const char *all = "fwb,tlbirange,ttl,bbm1,bbm2,lpa2,hafdbs,xnx,ets2";
	char text[LAB_FEATURES_LEN];
	uint32_t bits;

	(void)state;
	assert_true(lab_parse_features("--x", all, &bits));
	assert_string_equal(lab_features_text(bits, text), all);
	assert_true(lab_parse_features("--x", "none", &bits));
	assert_int_equal(bits, 0);
	assert_string_equal(lab_features_text(0, text), "none");
	assert_false(lab_parse_features("--x", "fwb,", &bits));
	assert_false(lab_parse_features("--x", "fw", &bits));
	assert_false(lab_parse_features("--x", "fwb,none", &bits));
}

static void sizes_and_counts_in_words(void **state)
{
	char size[LAB_SIZE_LEN], count[LAB_COUNT_LEN];

	(void)state;
	assert_string_equal(lab_size_text(0, size), "0 bytes");
	assert_string_equal(lab_size_text(UINT64_C(1) << 40, size), "1 TiB");
	assert_string_equal(lab_size_text((1 << 30) + 4096, size), "1 GiB + 4 KiB");
	assert_string_equal(lab_size_text(UINT64_MAX, size),
			    "16777215 TiB + 1023 GiB + 1023 MiB + 1023 KiB + 1023 bytes");
	assert_string_equal(lab_count_text(0, count), "0");
	assert_string_equal(lab_count_text(999, count), "999");
	assert_string_equal(lab_count_text(262657, count), "262,657");
	assert_string_equal(lab_count_text(UINT64_MAX, count),
			    "18,446,744,073,709,551,615");
}

/* No strategy that must be safe can be made unsafe from the command line. */
static void unsafe_only_where_it_may_not_be(void **state)
{
	const struct compare_options o = { .mem = 4096,
					   .leaf = { 4096, 12, 3, false },
					   .json = true };
	struct s2m_violation v = { .rule = "clean-missing" };
	struct compare_result r[LAB_STRATEGIES] = { 0 };

	(void)state;
	for (unsigned i = 0; i < LAB_STRATEGIES; i++)
		r[i].strategy = lab_strategies[i];
	assert_false(compare_report(&o, r, LAB_STRATEGIES));
	for (unsigned i = 0; i < LAB_STRATEGIES; i++) {
		r[i].violation = &v;
		r[i].violations = r[i].kept = 1;
		assert_int_equal(compare_report(&o, r, LAB_STRATEGIES),
				 lab_strategies[i]->must_be_safe);
		r[i].violations = r[i].kept = 0;
	}
	assert_true(strategy_entry.must_be_safe && strategy_merged.must_be_safe &&
		    strategy_stage2.must_be_safe);
}

/* What the tool prints can be given to it. */
static void sizes_are_read_as_they_are_printed(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, 4096, (1 << 30) + 4096, (UINT64_C(5) << 40) + 3, UINT64_MAX
	};
	char text[LAB_SIZE_LEN];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = 7;
		assert_true(lab_parse_size("--x", lab_size_text(sizes[i], text), &n));
		assert_int_equal(n, sizes[i]);
	}
	assert_true(lab_parse_size("--x", "4KiB", &n));
	assert_int_equal(n, 4096);
	assert_true(lab_parse_size("--x", "1g+4k", &n));
	assert_int_equal(n, (1 << 30) + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact_or_refused),
		cmocka_unit_test(feature_names_survive_the_way_back),
		cmocka_unit_test(sizes_and_counts_in_words),
		cmocka_unit_test(sizes_are_read_as_they_are_printed),
		cmocka_unit_test(unsafe_only_where_it_may_not_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
