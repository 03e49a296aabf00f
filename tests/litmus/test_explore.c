/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each known program is as safe, or as broken, as it is expected to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "programs.h"

static const struct explore_program *named(const char *name)
{
	for (unsigned i = 0; i < nr_programs; i++)
		if (!strcmp(programs[i].p.name, name))
			return &programs[i].p;
	fail_msg("no program %s", name);
	return NULL;
}

static void as_expected(void **state)
{
	const struct known_program *known = *state;
	struct explore_result res;

	assert_int_equal(explore_run(&known->p, &res), 0);
	print_message("%s: %s, %llu states, %u steps\n", known->p.name,
		      explore_rule_name(res.rule), (unsigned long long)res.states,
		      res.nr_steps);
	for (unsigned i = 0; i < res.nr_steps; i++) {
		print_message("  %2u  %s\n", i + 1, res.steps[i]);
		/* Every step was found again when the path was printed. */
		assert_true(res.steps[i][0] != '\0');
	}
	assert_int_not_equal(res.verdict, EXPLORE_GAVE_UP);
	assert_int_equal(res.rule, known->expect);
	assert_int_equal(res.verdict, known->expect ? EXPLORE_FOUND : EXPLORE_SAFE);
	/* "Safe" says nothing about an unmap that cannot end. */
	if (!known->expect)
		assert_true(res.returned > 0);
	else
		assert_true(res.nr_steps > 0);
	explore_result_free(&res);
}

/* If one of its barriers, TLBIs or cleans is left out, the four-phase unmap breaks. */
static void every_event_of_the_four_phases_is_needed(void **state)
{
	const struct explore_program *whole = named("four-phases");
	unsigned needed = 0;

	(void)state;
	for (unsigned i = 0; i < whole->nr_events; i++) {
		struct explore_program p = *whole;
		struct explore_result res;
		bool may_go;

		/*
		 * The ISB is for translations of the PE itself, which this machine does
		 * not have (test_litmus does). The marker need not be cleared for safety.
		 * The events from FREE on are what the unmap promises.
		 */
		may_go = whole->event[i].op == EXPLORE_ISB ||
			 (whole->event[i].op == EXPLORE_WRITE && i > 0);
		if (whole->event[i].op == EXPLORE_FREE)
			break;
		memmove(&p.event[i], &p.event[i + 1],
			(p.nr_events - i - 1) * sizeof(p.event[0]));
		p.nr_events--;
		assert_int_equal(explore_run(&p, &res), 0);
		print_message("without event %u: %s\n", i, explore_rule_name(res.rule));
		assert_int_equal(res.verdict, may_go ? EXPLORE_SAFE : EXPLORE_FOUND);
		needed += !may_go;
		explore_result_free(&res);
	}
	assert_true(needed >= 8);
}

/* More guest PEs and writes find nothing that one PE and two writes do not find. */
static void a_larger_machine_agrees(void **state)
{
	static const char *const names[] = { "four-phases-vmid", "tlbi-at-end" };

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct explore_program p = *named(names[i]);
		struct explore_result res;

		p.writes = 3;
		p.guests = i ? 1 : 2;
		assert_int_equal(explore_run(&p, &res), 0);
		print_message("%s: %llu states\n", names[i],
			      (unsigned long long)res.states);
		assert_int_equal(res.verdict, EXPLORE_SAFE);
		explore_result_free(&res);
	}
}

static void bounds_are_reported(void **state)
{
	struct explore_program p = *named("four-phases");
	struct explore_result res;

	(void)state;
	p.max_states = 100;
	assert_int_equal(explore_run(&p, &res), 0);
	assert_int_equal(res.verdict, EXPLORE_GAVE_UP);
	assert_int_equal(res.states, 100);
	explore_result_free(&res);
}

static void malformed_programs_are_refused(void **state)
{
	static const struct explore_event bad[] = {
		{ 2, EXPLORE_ISB, 0, 0 },
		{ 0, EXPLORE_HANDOFF + 1, 0, 0 },
		{ 0, EXPLORE_WRITE, EXPLORE_ENTRIES, 0 },
		{ 0, EXPLORE_WRITE, EXPLORE_ROOT, EXPLORE_MAP_A },
		{ 0, EXPLORE_WRITE, EXPLORE_L3_0, EXPLORE_TABLE },
		{ 0, EXPLORE_TLBI, 0, 1 },
		{ 0, EXPLORE_TLBI, EXPLORE_IPAS2E1IS, 4 },
		{ 0, EXPLORE_READ, EXPLORE_WILD, 0 },
	};
	struct explore_result res;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct explore_program p = { .name = "bad", .nr_events = 1 };

		p.event[0] = bad[i];
		assert_int_equal(explore_run(&p, &res), -1);
	}
}

int main(void)
{
	struct CMUnitTest *tests = calloc(nr_programs + 4, sizeof(*tests));
	unsigned n = 0;
	int failed;

	if (!tests)
		return 2;
	for (; n < nr_programs; n++)
		tests[n] = (struct CMUnitTest){
			.name = programs[n].p.name,
			.test_func = as_expected,
			.initial_state = (void *)&programs[n],
		};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(
		every_event_of_the_four_phases_is_needed);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_larger_machine_agrees);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(bounds_are_reported);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(malformed_programs_are_refused);
	failed = _cmocka_run_group_tests("explore", tests, n, NULL, NULL);
	free(tests);
	return failed;
}
