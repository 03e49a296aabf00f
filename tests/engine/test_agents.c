/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A port whose hook for other agents fails, at each of the places where it is called in
 * turn. From then on until the agents have let go, no table that was linked is freed. The
 * call says so and has done everything else; made again, it does what is left; and in the
 * end nothing has leaked.
 */
#include "bed.h"
#include "desc.h"

#define A GIB
#define PA0 (8 * GIB)
#define PA1 (16 * GIB)
#define PAGES_IN_BED 64u

static struct bed bed;
static struct s2_limbo limbo;

/* Calls of the hook until it fails; 0: it does not. */
static unsigned fail_at;
static bool failed, held;
static bool linked[PAGES_IN_BED + 16];

static void record(struct count_port *port, enum count_event what, uint64_t at,
		   uint64_t value)
{
	uint64_t page =
		((value & ~(PAGE - 1) & ((UINT64_C(1) << 48) - 1)) - COUNT_PORT_BASE) /
		PAGE;

	if (what == COUNT_AGENTS) {
		port->agents_fail = fail_at && !--fail_at;
		failed |= port->agents_fail;
		held |= port->agents_fail;
	} else if ((what == COUNT_STORE_RELEASE || what == COUNT_CAS) &&
		   (value & 3) == 3 && page < port->pages) {
		linked[page] = true;
	} else if (what == COUNT_ALLOC || what == COUNT_FREE) {
		page = (at - COUNT_PORT_BASE) / PAGE;
		if (what == COUNT_FREE && held && linked[page])
			fail_msg("an agent may still walk the table that is freed");
		linked[page] = false;
	} else if (what == COUNT_ROOT_FREE && held) {
		fail_msg("an agent may still walk the root that is freed");
	}
}

static void open_bed(void)
{
	bed_open(&bed, 40, S2_FEAT_TLBIRANGE, PAGES_IN_BED);
	memset(linked, 0, sizeof(linked));
	failed = held = false;
	fail_at = 0;
	limbo = (struct s2_limbo){ 0 };
	bed.port.record = record;
}

/* They have been told by other means: what waits for them is freed. */
static void agents_let_go(void)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };

	held = false;
	while (s2_release(&bed.s2, &bed.s2.stuck, &op) == S2_MORE)
		;
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	assert_true(!bed.s2.stuck.head && !bed.s2.stuck.tables);
}

/* ---- the calls --------------------------------------------------------------------- */

static int unmap_flags(uint64_t ipa, uint64_t size, uint32_t flags, struct s2_op op)
{
	int ret;

	do
		ret = s2_unmap(&bed.s2, s2_ipa(ipa), size, flags, &op);
	while (ret == S2_MORE);
	if (ret == S2_E_AGENTS)
		assert_true(op.done.ipa == ipa + size);
	return ret;
}

static int unmap_all(void)
{
	return unmap_flags(A, 16 * MIB, 0, (struct s2_op){ 0 });
}

static int unmap_in_steps(void)
{
	return unmap_flags(A, 16 * MIB, 0,
			   (struct s2_op){ .max_entries = S2_BUDGET_ENTRIES_MIN,
					   .max_bytes = S2_BUDGET_BYTES_MIN });
}

static int unmap_shared(void)
{
	return unmap_flags(A, 16 * MIB, S2_SHARED, (struct s2_op){ .limbo = &limbo });
}

static int unmap_to_limbo(void)
{
	return unmap_flags(A, 16 * MIB, 0, (struct s2_op){ .limbo = &limbo });
}

static int unmap_split_edges(void)
{
	return unmap_flags(A + PAGE, 16 * MIB - 2 * PAGE, S2_SPLIT_EDGES,
			   (struct s2_op){ 0 });
}

static int unmap_one_page(void)
{
	return s2_unmap(&bed.s2, s2_ipa(A + PAGE), PAGE, 0, NULL);
}

static int replace(uint32_t flags, struct s2_op op)
{
	int ret;

	do
		ret = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA1), 16 * MIB, RW,
			     S2_MAP_REPLACE | flags, &op);
	while (ret == S2_MORE);
	return ret;
}

static int replace_all(void)
{
	return replace(0, (struct s2_op){ 0 });
}

static int replace_in_steps(void)
{
	return replace(S2_MAP_PAGES, (struct s2_op){ .max_entries = S2_BUDGET_ENTRIES_MIN,
						     .max_bytes = S2_BUDGET_BYTES_MIN });
}

static int replace_shared(void)
{
	return replace(S2_SHARED, (struct s2_op){ .limbo = &limbo });
}

static int collapse(void)
{
	return s2_collapse(&bed.s2, s2_ipa(A), 16 * MIB, 0, NULL);
}

static int split(void)
{
	return s2_split(&bed.s2, s2_ipa(A), 16 * MIB, 0, NULL);
}

static int wrprotect(void)
{
	return s2_wrprotect(&bed.s2, s2_ipa(A), 16 * MIB, 0, NULL);
}

static int relax(void)
{
	return s2_relax_perms(&bed.s2, s2_ipa(A), S2_X, 0);
}

static int clear_notes(void)
{
	return s2_annotate(&bed.s2, s2_ipa(A + 16 * MIB), MIB, 0, 0, NULL);
}

/* The 65th range makes the batch flush early. */
static int unmap_in_a_batch(void)
{
	static struct s2_batch batch;
	struct s2_op op = { .batch = &batch };
	int worst = 0, ret;

	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	for (unsigned i = 0; i < 2 * (S2_BATCH_RANGES + 2); i += 2) {
		do {
			ret = s2_unmap(&bed.s2, s2_ipa(A + i * PAGE), PAGE, 0, &op);
			worst = ret ? ret : worst;
			agents_let_go();
		} while (ret == S2_E_AGENTS);
		assert_int_equal(ret, 0);
	}
	/* All of a table. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(A + 4 * MIB), 2 * MIB, 0, &op), 0);
	do {
		ret = s2_batch_end(&bed.s2, &batch, NULL);
		worst = ret ? ret : worst;
	} while (ret == S2_E_AGENTS);
	assert_int_equal(ret, 0);
	return worst;
}

static int (*const call[])(void) = {
	unmap_all,
	unmap_in_steps,
	unmap_shared,
	unmap_to_limbo,
	unmap_split_edges,
	unmap_one_page,
	replace_all,
	replace_in_steps,
	replace_shared,
	collapse,
	split,
	wrprotect,
	relax,
	unmap_in_a_batch,
	clear_notes,
};

/* Pages and blocks, of which tables go whole, and annotations. */
static void map_before(void)
{
	bed_map(&bed, A, PA0, 8 * MIB, RW, S2_MAP_PAGES);
	bed_map(&bed, A + 8 * MIB, PA0 + 8 * MIB, 8 * MIB, RW, 0);
	/* The hook has nothing to do with any of that. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(s2_annotate(&bed.s2, s2_ipa(A + 16 * MIB + i * PAGE),
					     PAGE, 1 + i, 0, NULL),
				 0);
}

/* Everything that is mapped, in one number. */
static uint64_t state_now(void)
{
	uint64_t sum = 0;
	struct s2_mapping m;
	struct s2_iter it;

	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), UINT64_C(1) << 40), 0);
	while (s2_iter_next(&it, &m)) {
		assert_int_not_equal(m.state, S2_BUSY);
		sum = sum * 31 + m.ipa.ipa;
		sum = sum * 31 + (m.state == S2_LEAF ? m.pa.pa | m.attr : m.note);
	}
	return sum;
}

static void a_call_whose_agents_fail_frees_nothing_early(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(call) / sizeof(*call); i++) {
		uint64_t want;
		unsigned n = 0;
		int ret;

		open_bed();
		map_before();
		assert_int_equal(call[i](), 0);
		agents_let_go();
		want = state_now();
		bed_close(&bed);
		do {
			open_bed();
			map_before();
			fail_at = ++n;
			ret = call[i]();
			assert_int_equal(ret, failed ? S2_E_AGENTS : 0);
			fail_at = 0;
			if (call[i] == unmap_all && failed)
				assert_true(bed.s2.stuck.tables);
			if (failed) {
				assert_true(state_now() == want);
				agents_let_go();
				assert_int_equal(call[i](), 0);
			}
			agents_let_go();
			assert_true(state_now() == want);
			bed_check(&bed);
			bed_close(&bed);
		} while (failed);
		/* It was called, so it has failed once at least. */
		assert_true(n > 1);
	}
}

/* The root stays, and what is stuck is not forgotten. */
static void a_destroy_whose_agents_fail_can_be_made_again(void **state)
{
	struct s2_op op;
	int ret;

	(void)state;
	for (unsigned steps = 0; steps < 2; steps++)
		for (unsigned n = 1;; n++) {
			open_bed();
			map_before();
			op = (struct s2_op){ .max_entries =
						     steps ? S2_BUDGET_ENTRIES_MIN : 0 };
			fail_at = n;
			do
				ret = s2_destroy(&bed.s2, S2_NO_CLEAN, &op);
			while (ret == S2_MORE);
			fail_at = 0;
			assert_int_equal(ret, failed ? S2_E_AGENTS : 0);
			if (!failed) {
				bed_close(&bed);
				break;
			}
			assert_non_null(bed.s2.root);
			assert_int_equal(bed_lookup(&bed, A).state, S2_EMPTY);
			/* Not as long as there is something stuck. */
			if (bed.s2.stuck.head) {
				assert_int_equal(s2_destroy(&bed.s2, S2_VMID_UNUSED,
							    NULL),
						 S2_E_AGENTS);
				assert_non_null(bed.s2.root);
			}
			agents_let_go();
			bed_close(&bed);
		}
}

/* It is the failure that is reported, and op->done says that there is more to do. */
static void a_failure_is_not_lost_in_another_error(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	int ret;

	(void)state;
	open_bed();
	map_before();
	fail_at = 1;
	do {
		ret = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA1), 16 * MIB, RW,
			     S2_MAP_REPLACE | S2_MAP_PAGES, &op);
		if (failed)
			bed.port.fail_after = 0;
	} while (ret == S2_MORE);
	assert_int_equal(ret, S2_E_AGENTS);
	assert_true(op.done.ipa > A && op.done.ipa < A + 16 * MIB);
	assert_true(bed_lookup(&bed, op.done.ipa - PAGE).pa.pa ==
		    PA1 + op.done.ipa - PAGE - A);
	agents_let_go();
	bed.port.fail_after = -1;
	op = (struct s2_op){ 0 };
	assert_int_equal(s2_map(&bed.s2, s2_ipa(A), s2_pa(PA1), 16 * MIB, RW,
				S2_MAP_REPLACE | S2_MAP_PAGES, &op),
			 0);
	bed_close(&bed);
}

/* A failure is that of the calls it was in, and of no later one. */
static void a_failure_is_reported_once(void **state)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN }, other = { 0 };
	int ret;

	(void)state;
	open_bed();
	map_before();
	fail_at = 1;
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(A), 512 * PAGE, 0, &op), S2_MORE);
	assert_true(failed);
	/* Between its steps, and not its business. */
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(A + 8 * MIB), PAGE, 0, &other), 0);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(A), 512 * PAGE, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, S2_E_AGENTS);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(A), 512 * PAGE, 0, &op), 0);
	agents_let_go();
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_whose_agents_fail_frees_nothing_early),
		cmocka_unit_test(a_destroy_whose_agents_fail_can_be_made_again),
		cmocka_unit_test(a_failure_is_not_lost_in_another_error),
		cmocka_unit_test(a_failure_is_reported_once),
	};

	return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}
