/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compiled, with the engine, for one granule: S2_GRANULE_SHIFT is 14 here. */
#include "bed.h"

static struct count_port port;

static struct s2_config config(uint8_t granule_shift)
{
	return (struct s2_config){ .ipa_bits = 40,
				   .pa_bits = 48,
				   .granule_shift = granule_shift,
				   .features = S2_FEAT_FWB,
				   .port = &port };
}

static void other_granules_are_refused(void **state)
{
	static const uint8_t others[] = { 0, 12, 16 };

	(void)state;
	for (unsigned i = 0; i < sizeof(others); i++) {
		struct s2_config cfg = config(others[i]);
		struct s2 s2;

		assert_int_equal(s2_init(&s2, &cfg), S2_E_UNSUPPORTED);
		assert_null(s2.root);
	}
}

static void the_granule_of_the_build_works(void **state)
{
	struct s2_config cfg = config(14);
	struct s2_mapping m;
	struct s2 s2;

	(void)state;
	assert_int_equal(s2_init(&s2, &cfg), 0);
	assert_int_equal(s2_map(&s2, s2_ipa(16 * KIB), s2_pa(GIB), 64 * KIB, RW,
				S2_MAP_PAGES, NULL),
			 0);
	assert_int_equal(s2_lookup(&s2, s2_ipa(50 * KIB), &m), 0);
	assert_true(m.state == S2_LEAF && m.size == 16 * KIB);
	assert_true(m.pa.pa == GIB + 32 * KIB);
	assert_int_equal(s2_unmap(&s2, s2_ipa(20 * KIB), 16 * KIB, 0, NULL), S2_E_ALIGN);
	assert_int_equal(s2_unmap(&s2, s2_ipa(16 * KIB), 64 * KIB, 0, NULL), 0);
	assert_int_equal(s2_destroy(&s2, 0, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	port = (struct count_port){ .pages = 32, .shift = 14, .fail_after = -1 };
	port.arena = aligned_alloc((size_t)16 << 14, (size_t)32 << 14);
	port.meta = calloc(2 * port.pages, sizeof(*port.meta));
	port.free = calloc(port.pages, sizeof(*port.free));
	for (uint32_t i = 16; i < port.pages; i++)
		port.free[port.nfree++] = i;
	return port.arena && port.meta && port.free ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(port.arena);
	free(port.meta);
	free(port.free);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_granules_are_refused),
		cmocka_unit_test(the_granule_of_the_build_works),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
