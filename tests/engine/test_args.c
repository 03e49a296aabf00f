/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bad input: the named error, nothing changed, nothing issued, nothing leaked. */
#define _POSIX_C_SOURCE 200809L
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define IPA_BITS 40
#define IPA_END (UINT64_C(1) << IPA_BITS)
#define PA_END (UINT64_C(1) << 48)

static struct bed bed;
static struct flat flat;

/* Pages, blocks and a hole in [0, 8 MiB). */
static void open_bed(uint32_t features)
{
	bed_open(&bed, IPA_BITS, features, 64);
	flat_init(&flat, &bed.s2);
	bed_map(&bed, 0, GIB, 16 * PAGE, RW, S2_MAP_PAGES);
	flat_map(&flat, 0, GIB, 16 * PAGE, RW, S2_MAP_PAGES);
	bed_map(&bed, 2 * MIB, GIB + 2 * MIB, 4 * MIB, RW | S2_MEM_NC, 0);
	flat_map(&flat, 2 * MIB, GIB + 2 * MIB, 4 * MIB, RW | S2_MEM_NC, 0);
	bed_cost(&bed);
}

static void unchanged(void)
{
	const char *what = flat_compare(&flat, &bed.s2);
	struct cost c = bed_cost(&bed);

	if (what)
		fail_msg("%s", what);
	bed_check(&bed);
	assert_int_equal(c.tlbi | c.dsb | c.clean_bytes | c.exec_bytes | c.agents, 0);
}

static void close_bed(void)
{
	unchanged();
	bed_close(&bed);
	flat_free(&flat);
}

#define refuses(call, error)                   \
	do {                                   \
		assert_int_equal(call, error); \
		unchanged();                   \
	} while (0)

/* Ranges that every function with a range refuses. */
static const struct {
	uint64_t ipa, size;
	int error;
} bad_range[] = {
	{ 1, PAGE, S2_E_ALIGN },
	{ 0, PAGE + 8, S2_E_ALIGN },
	{ 2048, 2048, S2_E_ALIGN },
	{ 0, 0, S2_E_SIZE },
	{ IPA_END, 0, S2_E_SIZE },
	{ UINT64_MAX & ~(PAGE - 1), 2 * PAGE, S2_E_WRAP },
	{ 2 * PAGE, UINT64_MAX & ~(PAGE - 1), S2_E_WRAP },
	{ IPA_END - PAGE, 2 * PAGE, S2_E_IPA_RANGE },
	{ IPA_END, PAGE, S2_E_IPA_RANGE },
	{ UINT64_C(1) << 63, PAGE, S2_E_IPA_RANGE },
};

static void bad_ranges_are_refused(void **state)
{
	struct s2_op small = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	struct s2_iter it;
	bool young = false;

	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < sizeof(bad_range) / sizeof(*bad_range); i++) {
		s2_ipa_t ipa = s2_ipa(bad_range[i].ipa);
		uint64_t size = bad_range[i].size;
		int error = bad_range[i].error;

		refuses(s2_map(&bed.s2, ipa, s2_pa(0), size, RW, 0, NULL), error);
		refuses(s2_unmap(&bed.s2, ipa, size, 0, NULL), error);
		refuses(s2_wrprotect(&bed.s2, ipa, size, 0, NULL), error);
		refuses(s2_age(&bed.s2, ipa, size, S2_CLEAR, &young, NULL), error);
		refuses(s2_split(&bed.s2, ipa, size, 0, NULL), error);
		refuses(s2_clean(&bed.s2, ipa, size, 0, NULL), error);
		/* Before what is wrong with the op. */
		refuses(s2_collapse(&bed.s2, ipa, size, 0, &small), error);
		refuses(s2_iter_start(&it, &bed.s2, ipa, size), error);
	}
	assert_false(young);
	close_bed();
}

static void bad_physical_ranges_are_refused(void **state)
{
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(12), PAGE, RW, 0, NULL), S2_E_ALIGN);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(PA_END), PAGE, RW, 0, NULL), S2_E_PA_RANGE);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(PA_END - PAGE), 2 * PAGE, RW, 0, NULL),
		S2_E_PA_RANGE);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(UINT64_MAX & ~(PAGE - 1)), 2 * PAGE, RW, 0,
		       NULL),
		S2_E_WRAP);
	close_bed();
	/* Also where a map of one page has a short way. */
	open_bed(S2_FEAT_FWB);
	refuses(s2_map(s2, s2_ipa(16 * PAGE), s2_pa(PA_END), PAGE, RW, 0, NULL),
		S2_E_PA_RANGE);
	refuses(s2_map(s2, s2_ipa(16 * PAGE), s2_pa(GIB + 8), PAGE, RW, 0, NULL),
		S2_E_ALIGN);
	refuses(s2_map(s2, s2_ipa(16 * PAGE + 8), s2_pa(GIB), PAGE, RW, 0, NULL),
		S2_E_ALIGN);
	refuses(s2_unmap(s2, s2_ipa(8), PAGE, 0, NULL), S2_E_ALIGN);
	close_bed();
}

static void bad_addresses_are_refused(void **state)
{
	struct s2 *s2 = &bed.s2;
	struct s2_mapping m;

	(void)state;
	open_bed(0);
	refuses(s2_relax_perms(s2, s2_ipa(1), S2_R, 0), S2_E_ALIGN);
	refuses(s2_mkyoung(s2, s2_ipa(1), 0), S2_E_ALIGN);
	refuses(s2_relax_perms(s2, s2_ipa(IPA_END), S2_R, 0), S2_E_IPA_RANGE);
	refuses(s2_mkyoung(s2, s2_ipa(IPA_END), 0), S2_E_IPA_RANGE);
	refuses(s2_lookup(s2, s2_ipa(IPA_END), &m), S2_E_IPA_RANGE);
	refuses(s2_lookup(s2, s2_ipa(UINT64_MAX), &m), S2_E_IPA_RANGE);
	/* A hole beside pages, one without any table. */
	refuses(s2_relax_perms(s2, s2_ipa(MIB), S2_R, 0), S2_E_NOENT);
	refuses(s2_relax_perms(s2, s2_ipa(100 * GIB), S2_R, 0), S2_E_NOENT);
	refuses(s2_mkyoung(s2, s2_ipa(MIB), 0), S2_E_NOENT);
	refuses(s2_mkyoung(s2, s2_ipa(100 * GIB), 0), S2_E_NOENT);
	close_bed();
}

static void bad_attributes_are_refused(void **state)
{
	static const s2_attr_t bad[] = {
		RWX | S2_MEM_DEV_nGnRnE,
		S2_X | S2_MEM_DEV_GRE,
		RW | S2_MEM_S1, /* without FWB */
		RW | 3u << 4,	/* no such type */
		RW | S2_XU,	/* without XNX */
		RW | S2_XP,
		RW | S2_SH_MASK, /* no such shareability */
		RW | S2_DBM,	 /* without DBM */
		RW | 1u << 7,
		RW | 1u << 31,
		RW | 1u << 16,
	};
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refuses(s2_map(s2, s2_ipa(GIB), s2_pa(GIB), PAGE, bad[i], 0, NULL),
			S2_E_ATTR);
	refuses(s2_relax_perms(s2, s2_ipa(0), 0, 0), S2_E_ATTR);
	refuses(s2_relax_perms(s2, s2_ipa(0), RW | S2_XP, 0), S2_E_ATTR);
	refuses(s2_relax_perms(s2, s2_ipa(0), RW | S2_DBM, 0), S2_E_ATTR);
	refuses(s2_relax_perms(s2, s2_ipa(0), RW | S2_MEM_NC, 0), S2_E_ATTR);
	close_bed();
}

static void execute_is_not_added_to_device(void **state)
{
	(void)state;
	open_bed(0);
	bed_map(&bed, 7 * MIB, GIB, PAGE, RW | S2_MEM_DEV_nGnRE, 0);
	flat_map(&flat, 7 * MIB, GIB, PAGE, RW | S2_MEM_DEV_nGnRE, 0);
	bed_cost(&bed);
	refuses(s2_relax_perms(&bed.s2, s2_ipa(7 * MIB), S2_X, 0), S2_E_ATTR);
	close_bed();
}

static void stage_1_type_is_taken_with_fwb(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, GIB, PAGE, RW | S2_MEM_S1, 0);
	bed_unmap(&bed, GIB, PAGE, 0);
	bed_cost(&bed);
	close_bed();
}

static void bad_flags_are_refused(void **state)
{
	static const uint32_t map[] = {
		S2_CLEAR,	1u << 31,
		S2_VMID_UNUSED, S2_MAP_REPLACE | S2_DROP_EDGES | S2_SPLIT_EDGES,
		S2_DROP_EDGES,
	};
	static const uint32_t unmap[] = {
		1u << 31,
		S2_VMID_UNUSED,
		S2_MAP_PAGES,
		S2_MAP_REPLACE,
		S2_DROP_EDGES | S2_SPLIT_EDGES,
	};
	static const uint32_t destroy[] = {
		S2_SHARED,	1u << 31,      S2_MAP_PAGES,
		S2_MAP_REPLACE, S2_DROP_EDGES, S2_SPLIT_EDGES,
	};
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo }, without = { 0 };
	struct s2 *s2 = &bed.s2;

	(void)state;
	/* Also where a map or an unmap of one page has a short way. */
	open_bed(S2_FEAT_FWB);
	for (unsigned i = 0; i < sizeof(map) / sizeof(*map); i++)
		refuses(s2_map(s2, s2_ipa(16 * PAGE), s2_pa(0), PAGE, RW, map[i], NULL),
			S2_E_FLAGS);
	refuses(s2_map(s2, s2_ipa(16 * PAGE), s2_pa(0), PAGE, RW, S2_SHARED, NULL),
		S2_E_LIMBO);
	refuses(s2_map(s2, s2_ipa(16 * PAGE), s2_pa(0), PAGE, RW, S2_SHARED, &without),
		S2_E_LIMBO);
	close_bed();
	open_bed(0);
	for (unsigned i = 0; i < sizeof(map) / sizeof(*map); i++)
		refuses(s2_map(s2, s2_ipa(0), s2_pa(0), PAGE, RW, map[i], NULL),
			S2_E_FLAGS);
	for (unsigned i = 0; i < sizeof(unmap) / sizeof(*unmap); i++)
		refuses(s2_unmap(s2, s2_ipa(0), PAGE, unmap[i], NULL), S2_E_FLAGS);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(0), PAGE, RW, S2_SHARED, NULL), S2_E_LIMBO);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(0), PAGE, RW, S2_SHARED | S2_MAP_REPLACE,
		       &without),
		S2_E_LIMBO);
	refuses(s2_unmap(s2, s2_ipa(0), PAGE, S2_SHARED, NULL), S2_E_LIMBO);
	refuses(s2_unmap(s2, s2_ipa(0), 4 * MIB, S2_SHARED, &without), S2_E_LIMBO);
	for (unsigned i = 0; i < sizeof(destroy) / sizeof(*destroy); i++)
		refuses(s2_destroy(s2, destroy[i], NULL), S2_E_FLAGS);
	refuses(s2_destroy(s2, 0, &op), S2_E_FLAGS);
	close_bed();
}

/* Every flag that a call does not know, one by one. S2_SHARED all of these know. */
static void unknown_flags_are_refused(void **state)
{
	uint64_t bits[8] = { 0 };
	struct s2_dirty_log log = { .ipa = s2_ipa(0), .size = 512 * PAGE, .bits = bits };
	struct s2_survey survey;
	struct s2 *s2 = &bed.s2;
	bool young = false;

	(void)state;
	open_bed(S2_FEAT_HAFDBS | S2_FEAT_DBM);
	for (unsigned i = 0; i < 32; i++) {
		const uint32_t f = 1u << i;
		const s2_ipa_t ipa = s2_ipa(0);

		if (f == S2_SHARED)
			continue;
		refuses(s2_wrprotect(s2, ipa, PAGE, f, NULL), S2_E_FLAGS);
		refuses(s2_split(s2, ipa, PAGE, f, NULL), S2_E_FLAGS);
		refuses(s2_collapse(s2, ipa, PAGE, f, NULL), S2_E_FLAGS);
		refuses(s2_clean(s2, ipa, PAGE, f, NULL), S2_E_FLAGS);
		refuses(s2_survey(s2, ipa, PAGE, f, &survey, NULL), S2_E_FLAGS);
		refuses(s2_relax_perms(s2, ipa, S2_W, f), S2_E_FLAGS);
		refuses(s2_mkyoung(s2, ipa, f), S2_E_FLAGS);
		if (f == S2_CLEAR)
			continue;
		refuses(s2_age(s2, ipa, PAGE, f, &young, NULL), S2_E_FLAGS);
		refuses(s2_dirty(s2, ipa, PAGE, f, &log, NULL), S2_E_FLAGS);
	}
	assert_false(young);
	close_bed();
}

static void budgets_below_the_least_are_refused(void **state)
{
	const struct s2_op bad[] = {
		{ .max_entries = 1 },
		{ .max_entries = S2_BUDGET_ENTRIES_MIN - 1 },
		{ .max_bytes = 1 },
		{ .max_bytes = S2_BUDGET_BYTES_MIN - 1 },
		{ .max_entries = S2_BUDGET_ENTRIES_MIN, .max_bytes = PAGE },
	};
	struct s2_limbo limbo = { 0 };
	struct s2 *s2 = &bed.s2;
	bool young = false;

	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct s2_op op = bad[i];

		refuses(s2_map(s2, s2_ipa(GIB), s2_pa(0), PAGE, RW, 0, &op), S2_E_BUDGET);
		refuses(s2_unmap(s2, s2_ipa(0), PAGE, 0, &op), S2_E_BUDGET);
		refuses(s2_destroy(s2, 0, &op), S2_E_BUDGET);
		refuses(s2_wrprotect(s2, s2_ipa(0), PAGE, 0, &op), S2_E_BUDGET);
		refuses(s2_age(s2, s2_ipa(0), PAGE, S2_CLEAR, &young, &op), S2_E_BUDGET);
		refuses(s2_split(s2, s2_ipa(0), PAGE, 0, &op), S2_E_BUDGET);
		refuses(s2_clean(s2, s2_ipa(0), PAGE, 0, &op), S2_E_BUDGET);
		if (i < 2)
			refuses(s2_release(s2, &limbo, &op), S2_E_BUDGET);
	}
	close_bed();
}

/* An op in the middle of unmapping 4 MiB is used for anything else. */
static void an_op_in_use_is_refused(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	struct s2 *s2 = &bed.s2;
	bool young = false;
	uint64_t tables;

	(void)state;
	open_bed(0);
	assert_int_equal(s2_unmap(s2, s2_ipa(2 * MIB), 4 * MIB, 0, &op), S2_MORE);
	bed_cost(&bed);
#define resumes_other(call) assert_int_equal(call, S2_E_RESUME)
	resumes_other(s2_unmap(s2, s2_ipa(2 * MIB), 2 * MIB, 0, &op));
	resumes_other(s2_unmap(s2, s2_ipa(0), 4 * MIB, 0, &op));
	resumes_other(s2_unmap(s2, s2_ipa(2 * MIB), 4 * MIB, S2_NO_CLEAN, &op));
	resumes_other(s2_map(s2, s2_ipa(2 * MIB), s2_pa(0), 4 * MIB, RW, 0, &op));
	resumes_other(s2_wrprotect(s2, s2_ipa(2 * MIB), 4 * MIB, 0, &op));
	resumes_other(s2_age(s2, s2_ipa(2 * MIB), 4 * MIB, S2_CLEAR, &young, &op));
	resumes_other(s2_split(s2, s2_ipa(2 * MIB), 4 * MIB, 0, &op));
	resumes_other(s2_clean(s2, s2_ipa(2 * MIB), 4 * MIB, 0, &op));
	resumes_other(s2_destroy(s2, 0, &op));
	assert_int_equal(bed_cost(&bed).dsb, 0);
	/* It goes on as if nothing had happened. */
	while (s2_unmap(s2, s2_ipa(2 * MIB), 4 * MIB, 0, &op) == S2_MORE)
		;
	assert_int_equal(op.done.ipa, 6 * MIB);
	flat_unmap(&flat, 2 * MIB, 4 * MIB, 0);
	assert_null(meta_check(s2, &tables));
	bed_cost(&bed);
	close_bed();
}

static void a_map_and_an_age_in_use_are_refused(void **state)
{
	struct s2_op map = { .max_bytes = S2_BUDGET_BYTES_MIN };
	struct s2_op age = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	struct s2 *s2 = &bed.s2;
	bool young = false;

	(void)state;
	open_bed(0);
#define MAP(pa, attr, flags) \
	s2_map(s2, s2_ipa(GIB), s2_pa(pa), 4 * MIB, attr, flags, &map)
	assert_int_equal(MAP(GIB, RW, S2_MAP_PAGES), S2_MORE);
	assert_int_equal(MAP(2 * GIB, RW, S2_MAP_PAGES), S2_E_RESUME);
	assert_int_equal(MAP(GIB, S2_R, S2_MAP_PAGES), S2_E_RESUME);
	assert_int_equal(MAP(GIB, RW, 0), S2_E_RESUME);
	while (MAP(GIB, RW, S2_MAP_PAGES) == S2_MORE)
		;
	assert_int_equal(bed_lookup(&bed, GIB + 4 * MIB - PAGE).state, S2_LEAF);
	assert_int_equal(s2_age(s2, s2_ipa(GIB), 4 * MIB, 0, &young, &age), S2_MORE);
	assert_int_equal(s2_age(s2, s2_ipa(GIB), 4 * MIB, S2_CLEAR, &young, &age),
			 S2_E_RESUME);
	while (s2_age(s2, s2_ipa(GIB), 4 * MIB, 0, &young, &age) == S2_MORE)
		;
	assert_true(young);
	bed_unmap(&bed, GIB, 4 * MIB, 0);
	bed_cost(&bed);
	close_bed();
}

/* Calls of 8 MiB of pages from GIB on that take several steps of the least budget. */
static bool is_young;
static struct s2_survey found;

static int step_of_map(struct s2_op *op)
{
	return s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 8 * MIB, RW | S2_MEM_NC,
		      S2_MAP_PAGES | S2_MAP_REPLACE, op);
}

static int step_of_unmap(struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, op);
}

static int step_of_wrprotect(struct s2_op *op)
{
	return s2_wrprotect(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, op);
}

static int step_of_age(struct s2_op *op)
{
	return s2_age(&bed.s2, s2_ipa(GIB), 8 * MIB, S2_CLEAR, &is_young, op);
}

static int step_of_collapse(struct s2_op *op)
{
	return s2_collapse(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, op);
}

static int step_of_clean(struct s2_op *op)
{
	return s2_clean(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, op);
}

static int step_of_survey(struct s2_op *op)
{
	return s2_survey(&bed.s2, s2_ipa(GIB), 8 * MIB, 0, &found, op);
}

static int step_of_destroy(struct s2_op *op)
{
	return s2_destroy(&bed.s2, 0, op);
}

static int (*const stepped[])(struct s2_op *op) = {
	step_of_map,	  step_of_unmap, step_of_wrprotect, step_of_age,
	step_of_collapse, step_of_clean, step_of_survey,    step_of_destroy,
};

#define STEPPED (sizeof(stepped) / sizeof(*stepped))

/* The first step of one of them. */
static void begin(unsigned i, struct s2_op *op)
{
	bed_open(&bed, IPA_BITS, 0, 64);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW | S2_MEM_NC, S2_MAP_PAGES | S2_NO_CLEAN);
	bed_cost(&bed);
	*op = (struct s2_op){ .max_entries = 2 * ENTRIES };
	assert_int_equal(stepped[i](op), S2_MORE);
	bed_cost(&bed);
}

static void finish(unsigned i, struct s2_op *op)
{
	uint64_t tables;
	unsigned steps = 0;
	int ret;

	do {
		ret = stepped[i](op);
		assert_true(++steps < 1000);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	if (bed.s2.root)
		assert_null(meta_check(&bed.s2, &tables));
	bed_close(&bed);
}

/*
 * Limbo, batch and log stay the same over the steps of an operation, whichever it is; a
 * call that was refused leaves the op where it is.
 */
static void what_of_an_op_may_not_change(void **state)
{
	struct s2_limbo limbo = { 0 }, other = { 0 };
	uint64_t bits[8 * 8] = { 0 };
	struct s2_dirty_log log = { s2_ipa(GIB), 8 * MIB, bits, false };

	(void)state;
	for (unsigned i = 0; i < STEPPED; i++) {
		struct s2_batch batch;
		struct s2_op op, was;

		begin(i, &op);
		was = op;
#define CHANGED(field, value, error)                        \
	do {                                                \
		op.field = value;                           \
		assert_int_equal(stepped[i](&op), error);   \
		op.field = was.field;                       \
		assert_memory_equal(&op, &was, sizeof(op)); \
		assert_int_equal(bed_cost(&bed).dsb, 0);    \
	} while (0)
		/* Destroy takes no limbo at all. */
		CHANGED(limbo, &limbo,
			stepped[i] == step_of_destroy ? S2_E_FLAGS : S2_E_RESUME);
		CHANGED(dirty, &log, S2_E_RESUME);
		/* With a budget not in a batch, nor in one that is not open. */
		CHANGED(batch, &batch, S2_E_BUDGET);
		op.max_entries = was.max_entries = 0;
		CHANGED(batch, &batch, S2_E_BATCH);
		if (stepped[i] != step_of_destroy) {
			assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
			CHANGED(batch, &batch,
				stepped[i] == step_of_unmap ? S2_E_RESUME : S2_E_BATCH);
			assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
		}
		op.max_entries = 2 * ENTRIES;
		finish(i, &op);
	}
	/* From one limbo to another, and from one to none. */
	begin(1, &(struct s2_op){ 0 });
	bed_close(&bed);
	bed_open(&bed, IPA_BITS, 0, 64);
	bed_map(&bed, GIB, 4 * GIB, 8 * MIB, RW | S2_MEM_NC, S2_MAP_PAGES | S2_NO_CLEAN);
	{
		struct s2_op op = { .max_entries = 2 * ENTRIES, .limbo = &limbo };

		assert_int_equal(step_of_unmap(&op), S2_MORE);
		op.limbo = &other;
		assert_int_equal(step_of_unmap(&op), S2_E_RESUME);
		op.limbo = NULL;
		assert_int_equal(step_of_unmap(&op), S2_E_RESUME);
		op.limbo = &limbo;
		while (step_of_unmap(&op) == S2_MORE)
			;
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		assert_int_equal(other.tables, 0);
	}
	bed_close(&bed);
}

/* Budgets and the cookie may: to less, to more, to none; one of both at a time. */
static void what_of_an_op_may_change(void **state)
{
	static const struct {
		uint32_t entries;
		uint64_t bytes;
	} budget[] = {
		{ 2 * ENTRIES, 0 },	  { 5000, 4 * MIB },
		{ 2 * ENTRIES, 2 * MIB }, { 2 * ENTRIES + 7, 100 * MIB },
		{ 0, 2 * MIB },		  { 3 * ENTRIES, 3 * MIB + 5 },
	};
	const unsigned n = sizeof(budget) / sizeof(*budget);

	(void)state;
	for (unsigned i = 0; i < STEPPED; i++)
		for (unsigned first = 0; first < n; first++) {
			uint64_t cleaned = 0, want = 0, tables;
			unsigned steps = 0;
			struct s2_op op;
			int ret;

			begin(i, &op);
			cleaned = op.cleaned;
			do {
				op.max_entries = budget[(first + steps) % n].entries;
				op.max_bytes = budget[(first + steps) % n].bytes;
				op.cookie = &budget[(first + steps) % n] == budget ?
						    NULL :
						    &bed;
				ret = stepped[i](&op);
				assert_true(!op.max_entries ||
					    op.visited <= op.max_entries);
				assert_true(!op.max_bytes || op.cleaned <= op.max_bytes);
				assert_int_equal(bed_cost(&bed).clean_bytes, op.cleaned);
				cleaned += op.cleaned;
				assert_true(++steps < 1000);
			} while (ret == S2_MORE);
			assert_int_equal(ret, 0);
			if (stepped[i] == step_of_map)
				want = 16 * MIB;
			else if (stepped[i] == step_of_unmap ||
				 stepped[i] == step_of_clean ||
				 stepped[i] == step_of_destroy)
				want = 8 * MIB;
			/* Each byte once, whatever a step was allowed. */
			assert_int_equal(cleaned, want);
			if (stepped[i] == step_of_survey)
				assert_int_equal(found.leaves[3], 8 * MIB);
			if (stepped[i] == step_of_collapse)
				assert_int_equal(bed_lookup(&bed, GIB + 7 * MIB).level,
						 2);
			if (stepped[i] == step_of_map)
				assert_true(
					bed_lookup(&bed, GIB + 8 * MIB - PAGE).pa.pa ==
					8 * GIB + 8 * MIB - PAGE);
			if (bed.s2.root)
				assert_null(meta_check(&bed.s2, &tables));
			bed_close(&bed);
		}
}

static void what_is_there_is_not_mapped_over(void **state)
{
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	/* Over a page, a block, from a hole into a page, a block over a table. */
	refuses(s2_map(s2, s2_ipa(0), s2_pa(0), PAGE, RW, 0, NULL), S2_E_EXIST);
	refuses(s2_map(s2, s2_ipa(2 * MIB), s2_pa(0), PAGE, RW, 0, NULL), S2_E_EXIST);
	refuses(s2_map(s2, s2_ipa(MIB), s2_pa(GIB), 2 * MIB, RW, 0, NULL), S2_E_EXIST);
	refuses(s2_map(s2, s2_ipa(0), s2_pa(0), 2 * MIB, RW, 0, NULL), S2_E_EXIST);
	/* The same memory with another type. */
	refuses(s2_map(s2, s2_ipa(0), s2_pa(GIB), PAGE, RW | S2_MEM_NC, 0, NULL),
		S2_E_EXIST);
	close_bed();
}

static void a_straddling_block_needs_a_flag(void **state)
{
	struct s2 *s2 = &bed.s2;

	(void)state;
	open_bed(0);
	refuses(s2_unmap(s2, s2_ipa(2 * MIB), PAGE, 0, NULL), S2_E_BLOCK);
	refuses(s2_unmap(s2, s2_ipa(2 * MIB + PAGE), 2 * MIB - PAGE, 0, NULL),
		S2_E_BLOCK);
	refuses(s2_unmap(s2, s2_ipa(0), 2 * MIB + PAGE, 0, NULL), S2_E_BLOCK);
	refuses(s2_unmap(s2, s2_ipa(5 * MIB), 2 * MIB, 0, NULL), S2_E_BLOCK);
	refuses(s2_map(s2, s2_ipa(3 * MIB), s2_pa(0), PAGE, RW, S2_MAP_REPLACE, NULL),
		S2_E_BLOCK);
	close_bed();
}

/* A block is broken and waits for the rest of its clean. */
static void a_parked_range_is_refused(void **state)
{
	struct s2 *s2 = &bed.s2;
	struct s2_op op;

	(void)state;
	open_bed(0);
	bed_park(&bed, &op, GIB, 4 * GIB);
	assert_int_equal(s2_map(s2, s2_ipa(GIB + 5 * MIB), s2_pa(0), PAGE, RW, 0, NULL),
			 S2_E_BUSY);
	assert_int_equal(s2_map(s2, s2_ipa(GIB), s2_pa(4 * GIB), GIB, RW, 0, NULL),
			 S2_E_BUSY);
	assert_int_equal(s2_relax_perms(s2, s2_ipa(GIB + 5 * MIB), S2_R, 0), S2_E_BUSY);
	assert_int_equal(s2_mkyoung(s2, s2_ipa(GIB + 5 * MIB), 0), S2_E_BUSY);
	assert_int_equal(s2_annotate(s2, s2_ipa(GIB), GIB, 7, 0, NULL), S2_E_BUSY);
	assert_int_equal(bed_cost(&bed).dsb, 0);
	bed_end_park(&bed, &op, GIB);
	/* Not a byte of it twice. */
	assert_int_equal(bed_cost(&bed).clean_bytes, GIB - PARKED);
	close_bed();
}

static void bad_configurations_are_refused(void **state)
{
	static const struct {
		struct s2_config cfg;
		int error;
	} bad[] = {
		{ { .ipa_bits = 31, .pa_bits = 48 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 0, .pa_bits = 48 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 49, .pa_bits = 48 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 52, .pa_bits = 48 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 255, .pa_bits = 48 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 41, .pa_bits = 40 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 33, .pa_bits = 32 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 32, .pa_bits = 0 }, S2_E_PA_BITS },
		{ { .ipa_bits = 32, .pa_bits = 33 }, S2_E_PA_BITS },
		{ { .ipa_bits = 40, .pa_bits = 52 }, S2_E_PA_BITS },
		{ { .ipa_bits = 49, .pa_bits = 52 }, S2_E_PA_BITS },
		{ { .ipa_bits = 53, .pa_bits = 52, .features = S2_FEAT_LPA2 },
		  S2_E_IPA_BITS },
		{ { .ipa_bits = 49, .pa_bits = 48, .granule_shift = 16 }, S2_E_IPA_BITS },
		{ { .ipa_bits = 40,
		    .pa_bits = 48,
		    .granule_shift = 16,
		    .features = S2_FEAT_LPA2 },
		  S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .granule_shift = 13 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .granule_shift = 1 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .features = 1u << 10 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .features = 1u << 31 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .errata = 2 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .features = S2_FEAT_SEL2 },
		  S2_E_UNSUPPORTED },
		{ { .ipa_bits = 40, .pa_bits = 48, .min_levels = 5 }, S2_E_CONFIG },
		{ { .ipa_bits = 40, .pa_bits = 48, .min_levels = 255 }, S2_E_CONFIG },
	};
	const struct s2 zero = { 0 };

	(void)state;
	open_bed(0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct s2_config cfg = bad[i].cfg;
		struct s2 s2;

		memset(&s2, 0xa5, sizeof(s2));
		cfg.port = &bed.port;
		refuses(s2_init(&s2, &cfg), bad[i].error);
		assert_memory_equal(&s2, &zero, sizeof(s2));
	}
	close_bed();
}

static void no_root_no_instance(void **state)
{
	struct s2_config cfg = { .ipa_bits = 40, .pa_bits = 40, .port = &bed.port };
	const struct s2 zero = { 0 };
	struct s2 s2;

	(void)state;
	open_bed(0);
	bed.port.fail_after = 0;
	memset(&s2, 0xa5, sizeof(s2));
	refuses(s2_init(&s2, &cfg), S2_E_NOMEM);
	assert_memory_equal(&s2, &zero, sizeof(s2));
	bed.port.fail_after = -1;
	close_bed();
}

/* ---- the port's functions call nothing that changes -------------------------- */

static int (*call_back)(void);
static unsigned allocs;

static int back_unmap(void)
{
	return s2_unmap(&bed.s2, s2_ipa(GIB), PAGE, 0, NULL);
}

static int back_map(void)
{
	return s2_map(&bed.s2, s2_ipa(7 * GIB), s2_pa(GIB), PAGE, RW, 0, NULL);
}

static int back_age(void)
{
	return s2_mkyoung(&bed.s2, s2_ipa(GIB), 0);
}

static int back_look(void)
{
	struct s2_mapping m;
	struct s2_leaf leaf;

	return s2_lookup(&bed.s2, s2_ipa(GIB), &m) |
	       s2_translate(&bed.s2, s2_ipa(GIB), &leaf);
}

static void on_alloc(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	(void)at;
	(void)value;
	if (what != COUNT_ALLOC)
		return;
	allocs++;
	port->record = NULL;
	call_back();
	port->record = on_alloc;
}

static void out_map(void)
{
	s2_map(&bed.s2, s2_ipa(5 * GIB), s2_pa(GIB), PAGE, RW, 0, NULL);
}

static void out_split(void)
{
	s2_split(&bed.s2, s2_ipa(4 * GIB), PAGE, 0, NULL);
}

static void out_unmap(void)
{
	s2_unmap(&bed.s2, s2_ipa(4 * GIB + PAGE), PAGE, S2_SPLIT_EDGES, NULL);
}

static void out_annotate(void)
{
	s2_annotate(&bed.s2, s2_ipa(6 * GIB), PAGE, 1, 0, NULL);
}

/* Whether the assertion convicts it. */
static bool convicted(void (*out)(void), int (*back)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		signal(SIGABRT, SIG_DFL);
		call_back = back;
		allocs = 0;
		bed.port.record = on_alloc;
		out();
		_exit(!allocs);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT :
					  !WEXITSTATUS(status));
	return WIFSIGNALED(status);
}

static void an_allocator_that_calls_back_is_convicted(void **state)
{
	static void (*const outs[])(void) = { out_map, out_split, out_unmap,
					      out_annotate };

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, GIB, GIB, 2 * PAGE, RW, 0);
	bed_map(&bed, 4 * GIB, GIB, 2 * MIB, RW, 0);
	for (unsigned i = 0; i < sizeof(outs) / sizeof(*outs); i++) {
		assert_true(convicted(outs[i], back_unmap));
		assert_true(convicted(outs[i], back_map));
		assert_true(convicted(outs[i], back_age));
		assert_false(convicted(outs[i], back_look));
	}
	bed_close(&bed);
	flat_free(&flat);
}

static void every_error_has_a_sentence(void **state)
{
	const char *unknown = s2_strerror(-1000);

	(void)state;
	for (int e = S2_E_LIMBO; e <= S2_MORE; e++) {
		assert_non_null(s2_strerror(e));
		assert_string_not_equal(s2_strerror(e), unknown);
		for (int f = S2_E_LIMBO; f < e; f++)
			assert_string_not_equal(s2_strerror(e), s2_strerror(f));
	}
	assert_string_equal(s2_strerror(2), unknown);
	assert_string_equal(s2_strerror(S2_E_LIMBO - 1), unknown);
	assert_string_equal(s2_strerror(INT_MIN), unknown);
}

#if S2_VERSION < S2_VERSION_NUMBER(0, 3, 0) || S2_VERSION >= S2_VERSION_NUMBER(1, 0, 0)
#error "S2_VERSION does not compare as a number"
#endif

static void the_objects_have_the_version_of_the_headers(void **state)
{
	(void)state;
	assert_int_equal(s2_version(), S2_VERSION);
	assert_int_equal(S2_VERSION_NUMBER(1, 2, 3), 0x10203);
	assert_int_equal(s2_version() >> 16, S2_VERSION_MAJOR);
	assert_int_equal(s2_version() >> 8 & 255, S2_VERSION_MINOR);
	assert_int_equal(s2_version() & 255, S2_VERSION_PATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(bad_physical_ranges_are_refused),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(bad_attributes_are_refused),
		cmocka_unit_test(execute_is_not_added_to_device),
		cmocka_unit_test(stage_1_type_is_taken_with_fwb),
		cmocka_unit_test(bad_flags_are_refused),
		cmocka_unit_test(unknown_flags_are_refused),
		cmocka_unit_test(budgets_below_the_least_are_refused),
		cmocka_unit_test(an_op_in_use_is_refused),
		cmocka_unit_test(what_of_an_op_may_not_change),
		cmocka_unit_test(what_of_an_op_may_change),
		cmocka_unit_test(a_map_and_an_age_in_use_are_refused),
		cmocka_unit_test(what_is_there_is_not_mapped_over),
		cmocka_unit_test(a_straddling_block_needs_a_flag),
		cmocka_unit_test(a_parked_range_is_refused),
		cmocka_unit_test(bad_configurations_are_refused),
		cmocka_unit_test(no_root_no_instance),
		cmocka_unit_test(an_allocator_that_calls_back_is_convicted),
		cmocka_unit_test(every_error_has_a_sentence),
		cmocka_unit_test(the_objects_have_the_version_of_the_headers),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
