/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An agent on the same tables that has fewer features than the PEs, on the machine model:
 * what an instance must not be configured with then, and what it may be (src/port.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stage2/stage2.h>

#include "machine.h"
#include "stage2_port.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define BASE (UINT64_C(1) << 30)
#define RW (S2_R | S2_W)
#define VTTBR_VMID (UINT64_C(5) << 48)

static struct model_port port;
static struct s2 s2;
static uint64_t root;

/* PEs that have the machine's features, and use those that the engine has. */
static void open_world(uint32_t features, uint32_t machine, uint32_t lacks)
{
	struct machine_config mc = { .pes = 2,
				     .features = machine | S2M_AGENT,
				     .agent_lacks = lacks };
	struct s2_config cfg = {
		.ipa_bits = 40, .pa_bits = 48, .features = features, .port = &port
	};

	port = (struct model_port){ .m = machine_new(&mc), .fail_alloc = -1 };
	assert_non_null(port.m);
	assert_int_equal(s2_init(&s2, &cfg), 0);
	root = s2m_pa(port.m, s2.root);
	port.vttbr = s2_vttbr(&s2) | VTTBR_VMID;
	for (unsigned pe = 0; pe < mc.pes; pe++) {
		s2m_setup(port.m, pe, s2_vtcr(&s2), features & S2_FEAT_FWB);
	}
	s2m_guest_enter(port.m, 1, port.vttbr);
}

static void close_world(void)
{
	s2m_guest_leave(port.m, 1);
	s2m_handoff(port.m, 1, 0);
	assert_int_equal(s2_destroy(&s2, 0, NULL), 0);
	machine_free(port.m);
}

static void map(uint64_t ipa, uint64_t size, s2_attr_t attr, uint32_t flags)
{
	assert_int_equal(s2_map(&s2, s2_ipa(ipa), s2_pa(8 * BASE + ipa), size, attr,
				flags, NULL),
			 0);
}

static const char *convicted(void)
{
	return s2m_violations(port.m) ? s2m_violation(port.m, 0)->rule : "";
}

/* ---- what agents need, too ---- */

static void what_changes_the_meaning_of_entries_agents_need_too(void **state)
{
	static const struct {
		uint32_t engine, machine;
		s2_attr_t attr;
	} needs[] = {
		{ S2_FEAT_FWB, S2M_FWB, RW },
		{ S2_FEAT_XNX, S2M_XNX, S2_R | S2_XU },
		{ S2_FEAT_LPA2, S2M_LPA2, RW },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		/* It has the feature; it has not; it has not, and nobody uses it. */
		for (int how = 0; how < 3; how++) {
			s2_attr_t attr = how == 2 ? RW : needs[i].attr;

			open_world(how == 2 ? 0 : needs[i].engine, needs[i].machine,
				   how ? needs[i].machine : 0);
			map(BASE, 4 * MIB, attr, 0);
			assert_string_equal(convicted(),
					    how == 1 ? "agent-misreads" : "");
			close_world();
		}
	}
}

/* ---- what they need not have ---- */

/* Every way to change what an agent may hold, and the claims that belong to it. */
static void change_all(uint32_t features)
{
	struct s2_op op = { .max_entries = 0 };
	bool young = false;

	map(BASE, 8 * MIB, RW, 0);
	assert_int_equal(s2_wrprotect(&s2, s2_ipa(BASE), 8 * MIB, 0, &op), 0);
	s2m_claim_wrprotected(port.m, 0, root, BASE, 8 * MIB);
	assert_int_equal(s2_relax_perms(&s2, s2_ipa(BASE + 5 * PAGE), S2_W, 0), 0);
	assert_int_equal(s2_age(&s2, s2_ipa(BASE), 8 * MIB, S2_CLEAR, &young, &op), 0);
	assert_int_equal(s2_split(&s2, s2_ipa(BASE), 4 * MIB, 0, &op), 0);
	if (features & S2_FEAT_DBM) {
		map(BASE + 16 * MIB, 2 * MIB, S2_R | S2_DBM, S2_MAP_PAGES);
		assert_int_equal(
			s2_wrprotect(&s2, s2_ipa(BASE + 16 * MIB), 2 * MIB, 0, &op), 0);
		s2m_claim_wrprotected(port.m, 0, root, BASE + 16 * MIB, 2 * MIB);
	}
	assert_int_equal(s2_unmap(&s2, s2_ipa(BASE + PAGE), PAGE, 0, &op), 0);
	s2m_claim_unmapped(port.m, 0, root, BASE + PAGE, PAGE, 0);
	map(BASE + PAGE, PAGE, RW, 0);
	assert_int_equal(s2_collapse(&s2, s2_ipa(BASE), 2 * MIB, 0, &op), 0);
	assert_int_equal(s2_unmap(&s2, s2_ipa(BASE), 32 * MIB, 0, &op), 0);
	s2m_claim_unmapped(port.m, 0, root, BASE, 32 * MIB, 0);
	s2m_claim_frame_free(port.m, 0, 9 * BASE, 32 * MIB);
}

static void what_changes_how_entries_are_used_they_need_not_have(void **state)
{
	static const struct {
		uint32_t engine, machine;
	} free[] = {
		{ S2_FEAT_HAFDBS | S2_FEAT_DBM, S2M_HAFDBS },
		{ S2_FEAT_BBM1, S2M_BBM1 | S2M_CONFLICTS },
		{ S2_FEAT_BBM2, S2M_BBM2 | S2M_CONFLICTS },
		{ S2_FEAT_TLBIRANGE | S2_FEAT_TTL, S2M_TLBIRANGE | S2M_TTL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(free) / sizeof(*free); i++) {
		open_world(free[i].engine, free[i].machine, free[i].machine);
		change_all(free[i].engine);
		if (*convicted())
			fail_msg("%s: %s", convicted(), s2m_violation(port.m, 0)->detail);
		close_world();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_the_meaning_of_entries_agents_need_too),
		cmocka_unit_test(what_changes_how_entries_are_used_they_need_not_have),
	};

	return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}
