/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Split and collapse on the machine model, with a guest on two PEs and the steps on
 * two others in turns: every granule and start level, every block level, features,
 * errata and budgets. No rule may be broken, and everything stays mapped.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "desc.h"
#include "flat.h"
#include "common/lab.h"
#include "shapes.h"

#define BLOCKS 2u

/* What is looked at: blocks at @level that are, or were, tables of smaller leaves. */
struct ground {
	struct lab_vm vm;
	uint64_t ipa, pa, size;
	int level;
	uint32_t budget;
	struct s2_limbo limbo;
	uint32_t flags;
};

static void open_ground(struct ground *g, const struct s2_config *shape,
			uint32_t features, uint32_t errata)
{
	const struct lab_vm_config cfg = {
		.ipa_bits = shape->ipa_bits,
		.pa_bits = shape->pa_bits,
		.page_shift = shape->granule_shift,
		.features = shape->features | features,
		.errata = errata,
		.vcpus = 3, /* 1 takes turns with 0, 2 and 3 run the guest */
		.vmid = 7,
		.table_pages = 64,
		.seed = 1,
	};

	memset(g, 0, sizeof(*g));
	assert_int_equal(lab_vm_init(&g->vm, &cfg), 0);
	s2m_guest_leave(g->vm.m, 1);
}

static void no_violation(const struct ground *g, const char *when)
{
	const struct s2m_violation *v = s2m_violation(g->vm.m, 0);

	if (s2m_violations(g->vm.m))
		fail_msg("%s, level %d, granule 2^%u, features 0x%x: %s: %s", when,
			 g->level, g->vm.page_shift, g->vm.s2.features, v->rule,
			 v->detail);
}

/* The lock is dropped, and taken by the other PE. */
static void hand_over(struct ground *g)
{
	unsigned pe = !g->vm.port.pe;

	s2m_handoff(g->vm.m, g->vm.port.pe, pe);
	g->vm.port.pe = pe;
}

static void all_mapped(struct ground *g, int level, const char *when)
{
	uint64_t at = g->ipa, tables;
	const char *wrong = meta_check(&g->vm.s2, &tables);
	struct s2_mapping m;
	struct s2_iter it;

	if (wrong)
		fail_msg("%s: %s", when, wrong);
	assert_int_equal(tables + g->vm.s2.root_pages, s2m_tables_in_use(g->vm.m));
	assert_int_equal(s2_iter_start(&it, &g->vm.s2, s2_ipa(g->ipa), g->size), 0);
	while (s2_iter_next(&it, &m)) {
		assert_int_equal(m.state, S2_LEAF);
		assert_int_equal(m.level, level);
		assert_true(m.ipa.ipa == at && m.pa.pa == g->pa + (at - g->ipa));
		assert_int_equal(m.attr, S2_R | S2_W);
		at += m.size;
	}
	assert_true(at == g->ipa + g->size);
	no_violation(g, when);
}

static void collapse(struct ground *g)
{
	struct s2_op op = { .max_entries = g->budget };
	int ret;

	if (g->flags & S2_SHARED)
		op.limbo = &g->limbo;
	do {
		hand_over(g);
		ret = s2_collapse(&g->vm.s2, s2_ipa(g->ipa), g->size, g->flags, &op);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	no_violation(g, "collapse");
	assert_int_equal(s2_release(&g->vm.s2, &g->limbo, NULL), 0);
}

static void split(struct ground *g)
{
	struct s2_op op = { .max_entries = g->budget };
	int ret;

	do {
		hand_over(g);
		ret = s2_split(&g->vm.s2, s2_ipa(g->ipa), g->size, g->flags, &op);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
}

static void unmap(struct ground *g)
{
	struct machine *m = g->vm.m;

	hand_over(g);
	assert_int_equal(s2_unmap(&g->vm.s2, s2_ipa(g->ipa), g->size, 0, NULL), 0);
	s2m_claim_unmapped(m, g->vm.port.pe, lab_vm_root(&g->vm), g->ipa, g->size, 0);
	s2m_claim_frame_free(m, g->vm.port.pe, g->pa, g->size);
	no_violation(g, "unmap");
}

/* Leaves a level below become blocks, and what is left of a page table pages again. */
static void there_and_back(struct ground *g, int level)
{
	const struct s2 *s2 = &g->vm.s2;
	uint64_t each = level_size(s2, level + 1);

	g->level = level;
	g->size = BLOCKS * level_size(s2, level);
	g->ipa = (UINT64_C(1) << s2->ipa_bits) - g->size;
	/* The upper half of the PA space is tables. */
	g->pa = (UINT64_C(1) << (s2->pa_bits - 1)) - g->size;
	for (uint64_t at = 0; at < g->size; at += each)
		assert_int_equal(s2_map(&g->vm.s2, s2_ipa(g->ipa + at), s2_pa(g->pa + at),
					each, S2_R | S2_W, 0, NULL),
				 0);
	all_mapped(g, level + 1, "map");
	collapse(g);
	all_mapped(g, level, "collapse");
	if (level + 1 == LAST_LEVEL) {
		split(g);
		all_mapped(g, LAST_LEVEL, "split");
		collapse(g);
		all_mapped(g, level, "collapse again");
	}
	unmap(g);
}

static void on_every_shape(uint32_t features, uint32_t errata, uint32_t flags)
{
	for (unsigned i = 0; i < SHAPES; i++) {
		struct ground g;
		int first;

		open_ground(&g, &shapes[i], features, errata);
		g.flags = flags;
		/* Shared calls have none. */
		g.budget = i & 1 && !(flags & S2_SHARED) ? 2 * table_entries(&g.vm.s2) :
							   0;
		first = first_block_level(&g.vm.s2);
		if (first < g.vm.s2.start_level)
			first = g.vm.s2.start_level;
		for (int level = first; level < LAST_LEVEL; level++)
			if (g.vm.s2.ipa_bits > level_shift(&g.vm.s2, level))
				there_and_back(&g, level);
		lab_vm_free(&g.vm);
	}
}

static void exclusive(void **state)
{
	const uint32_t sets[] = { 0, S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL,
				  S2_FEAT_TLBIRANGE | S2_FEAT_HAFDBS,
				  S2_FEAT_FWB | S2_FEAT_TTL };

	(void)state;
	for (unsigned i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		on_every_shape(sets[i], i & 1 ? S2_ERRATUM_REPEAT_TLBI : 0, 0);
}

static void shared(void **state)
{
	(void)state;
	on_every_shape(S2_FEAT_FWB | S2_FEAT_TLBIRANGE, 0, S2_SHARED);
	on_every_shape(S2_FEAT_TTL | S2_FEAT_HAFDBS, 0, S2_SHARED);
}

/* Accepted; they break first all the same. */
static void with_bbm2(void **state)
{
	(void)state;
	on_every_shape(S2_FEAT_BBM2 | S2_FEAT_FWB | S2_FEAT_TLBIRANGE, 0, 0);
	on_every_shape(S2_FEAT_BBM2 | S2_FEAT_TTL | S2_FEAT_HAFDBS, 0, 0);
	on_every_shape(S2_FEAT_BBM2 | S2_FEAT_TLBIRANGE, S2_ERRATUM_REPEAT_TLBI,
		       S2_SHARED);
}

/* From pages to a level-1 block and back, in one call each. */
static void two_levels_at_once(void **state)
{
	const uint32_t sets[] = { 0, S2_FEAT_FWB | S2_FEAT_TLBIRANGE, S2_FEAT_BBM2 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const struct s2_config shape = SHAPE(39, 48, 12, 0);
		const struct lab_vm_config cfg = { .ipa_bits = shape.ipa_bits,
						   .pa_bits = shape.pa_bits,
						   .page_shift = 12,
						   .features = sets[i],
						   .vcpus = 3,
						   .vmid = 7,
						   .table_pages = 600 };
		struct ground g = { .level = 1 };

		assert_int_equal(lab_vm_init(&g.vm, &cfg), 0);
		s2m_guest_leave(g.vm.m, 1);
		g.size = UINT64_C(1) << 30;
		g.ipa = g.pa = UINT64_C(3) << 30;
		assert_int_equal(s2_map(&g.vm.s2, s2_ipa(g.ipa), s2_pa(g.pa), g.size,
					S2_R | S2_W, 0, NULL),
				 0);
		split(&g);
		all_mapped(&g, LAST_LEVEL, "split");
		collapse(&g);
		all_mapped(&g, 1, "collapse");
		unmap(&g);
		lab_vm_free(&g.vm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exclusive),
		cmocka_unit_test(shared),
		cmocka_unit_test(with_bbm2),
		cmocka_unit_test(two_levels_at_once),
	};

	return cmocka_run_group_tests_name("reshape", tests, NULL, NULL);
}
