/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking: one address, a range, a dump. */
#include "bed.h"
#include "internal.h"
#include "shapes.h"

static struct bed bed;

/* 1 GiB block, 2 MiB blocks, pages with holes, in three parts of the IPA space. */
static void open_bed(void)
{
	bed_open(&bed, 40, S2_FEAT_FWB, 64);
	bed_map(&bed, 0, 8 * GIB, GIB, RWX, 0);
	bed_map(&bed, 2 * GIB, 16 * GIB, 4 * MIB, RW | S2_MEM_NC, 0);
	bed_map(&bed, 2 * GIB + 8 * MIB, 32 * GIB, 2 * PAGE, S2_R | S2_SW(5), 0);
	bed_map(&bed, 2 * GIB + 8 * MIB + 4 * PAGE, 32 * GIB + 4 * PAGE, PAGE,
		RW | S2_MEM_DEV_nGnRE, 0);
	bed_map(&bed, 1023 * GIB, 8 * PAGE, PAGE, S2_W | S2_MEM_S1, 0);
}

static const struct expected {
	uint64_t ipa, pa, size;
	s2_attr_t attr;
	int level;
} leaves[] = {
	{ 0, 8 * GIB, GIB, RWX, 1 },
	{ 2 * GIB, 16 * GIB, 2 * MIB, RW | S2_MEM_NC, 2 },
	{ 2 * GIB + 2 * MIB, 16 * GIB + 2 * MIB, 2 * MIB, RW | S2_MEM_NC, 2 },
	{ 2 * GIB + 8 * MIB, 32 * GIB, PAGE, S2_R | S2_SW(5), 3 },
	{ 2 * GIB + 8 * MIB + PAGE, 32 * GIB + PAGE, PAGE, S2_R | S2_SW(5), 3 },
	{ 2 * GIB + 8 * MIB + 4 * PAGE, 32 * GIB + 4 * PAGE, PAGE, RW | S2_MEM_DEV_nGnRE,
	  3 },
	{ 1023 * GIB, 8 * PAGE, PAGE, S2_W | S2_MEM_S1, 3 },
};

#define LEAVES (sizeof(leaves) / sizeof(*leaves))

static void is_leaf(const struct s2_mapping *m, const struct expected *e)
{
	assert_int_equal(m->state, S2_LEAF);
	assert_true(m->ipa.ipa == e->ipa && m->pa.pa == e->pa && m->size == e->size);
	assert_int_equal(m->attr, e->attr);
	assert_int_equal(m->level, e->level);
	assert_true(m->young);
}

static void lookup_finds_the_leaf_or_the_hole(void **state)
{
	struct s2_mapping m;

	(void)state;
	open_bed();
	for (unsigned i = 0; i < LEAVES; i++) {
		m = bed_lookup(&bed, leaves[i].ipa);
		is_leaf(&m, &leaves[i]);
		m = bed_lookup(&bed, leaves[i].ipa + leaves[i].size - 1);
		is_leaf(&m, &leaves[i]);
	}
	/* Holes say how large they are: an entry without a table, with one. */
	m = bed_lookup(&bed, GIB + 12345);
	assert_true(m.state == S2_EMPTY && m.ipa.ipa == GIB && m.size == GIB &&
		    m.level == 1);
	m = bed_lookup(&bed, 2 * GIB + 4 * MIB);
	assert_true(m.state == S2_EMPTY && m.size == 2 * MIB && m.level == 2);
	m = bed_lookup(&bed, 2 * GIB + 8 * MIB + 2 * PAGE);
	assert_true(m.state == S2_EMPTY && m.size == PAGE && m.level == 3);
	assert_true(m.desc == 0 && m.attr == 0);
	bed_close(&bed);
}

static void translates(uint64_t ipa, uint64_t pa, int level, s2_attr_t perms)
{
	struct s2_leaf leaf;

	assert_int_equal(s2_translate(&bed.s2, s2_ipa(ipa), &leaf), 0);
	assert_true(leaf.pa.pa == pa);
	assert_int_equal(leaf.level, level);
	assert_true(leaf.desc == *bed_entry(&bed, ipa, level));
	assert_true(s2_leaf_size(&bed.s2, &leaf) == level_size(&bed.s2, level));
	assert_int_equal(s2_leaf_perms(&leaf), perms);
}

static void does_not_translate(uint64_t ipa, int err)
{
	struct s2_leaf leaf;

	assert_int_equal(s2_translate(&bed.s2, s2_ipa(ipa), &leaf), err);
}

/* Leaves of every level of every shape, the last of the IPA space and of the PA space. */
static void translate_finds_every_byte(void **state)
{
	static const s2_attr_t attr[] = { S2_R, S2_W, RW | S2_MEM_NC, RWX };

	(void)state;
	for (unsigned i = 0; i < SHAPES; i++) {
		uint64_t end = UINT64_C(1) << shapes[i].ipa_bits, size, ipa, pa;

		bed_open_as(&bed, shapes[i], 16);
		does_not_translate(0, S2_E_NOENT);
		does_not_translate(end, S2_E_IPA_RANGE);
		does_not_translate(UINT64_MAX, S2_E_IPA_RANGE);
		for (int level = first_block_level(&bed.s2); level <= LAST_LEVEL;
		     level++) {
			size = level_size(&bed.s2, level);
			if (level < bed.s2.start_level || end / 2 < size)
				continue;
			ipa = end - size;
			pa = (UINT64_C(1) << shapes[i].pa_bits) - size;
			bed_map(&bed, ipa, pa, size, attr[level], S2_NO_CLEAN);
			translates(ipa, pa, level, attr[level] & RW);
			translates(ipa + 1, pa + 1, level, attr[level] & RW);
			translates(end - 1, pa + size - 1, level, attr[level] & RW);
			does_not_translate(ipa - 1, S2_E_NOENT);
			bed_unmap(&bed, ipa, size, S2_NO_CLEAN);
			does_not_translate(ipa, S2_E_NOENT);
		}
		bed_close(&bed);
	}
}

static void translate_says_why_not(void **state)
{
	struct s2_batch batch;
	struct s2_op op, in = { .batch = &batch };

	(void)state;
	bed_open(&bed, 40, 0, 64);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(4 * GIB), PAGE, 7, 0, NULL), 0);
	does_not_translate(4 * GIB, S2_E_NOENT);
	bed_park(&bed, &op, 2 * GIB, 16 * GIB);
	does_not_translate(2 * GIB, S2_E_BUSY);
	does_not_translate(2 * GIB + 3 * MIB, S2_E_BUSY);
	does_not_translate(3 * GIB - 1, S2_E_BUSY);
	bed_end_park(&bed, &op, 2 * GIB);
	does_not_translate(2 * GIB + 3 * MIB, S2_E_NOENT);
	/* What an open batch has broken. */
	bed_map(&bed, GIB, GIB, 2 * PAGE, RW, 0);
	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), PAGE, 0, &in), 0);
	does_not_translate(GIB, S2_E_BUSY);
	translates(GIB + PAGE, GIB + PAGE, 3, RW);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	does_not_translate(GIB, S2_E_NOENT);
	bed_close(&bed);
}

static void the_cursor_visits_each_leaf_once(void **state)
{
	struct s2_mapping m;
	struct s2_iter it;
	uint64_t whole = UINT64_C(1) << 40;

	(void)state;
	open_bed();
	/* From every leaf on, and up to every leaf. */
	for (unsigned first = 0; first < LEAVES; first++)
		for (unsigned last = first; last < LEAVES; last++) {
			uint64_t size =
				leaves[last].ipa + leaves[last].size - leaves[first].ipa;

			assert_int_equal(s2_iter_start(&it, &bed.s2,
						       s2_ipa(leaves[first].ipa), size),
					 0);
			for (unsigned i = first; i <= last; i++) {
				assert_true(s2_iter_next(&it, &m));
				is_leaf(&m, &leaves[i]);
			}
			assert_false(s2_iter_next(&it, &m));
			assert_false(s2_iter_next(&it, &m));
		}
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), whole), 0);
	for (unsigned i = 0; i < LEAVES; i++)
		assert_true(s2_iter_next(&it, &m));
	assert_false(s2_iter_next(&it, &m));
	bed_close(&bed);
}

static void the_cursor_may_start_and_end_inside_a_block(void **state)
{
	struct s2_mapping m;
	struct s2_iter it;

	(void)state;
	open_bed();
	assert_int_equal(
		s2_iter_start(&it, &bed.s2, s2_ipa(512 * MIB), 2 * GIB - 511 * MIB), 0);
	assert_true(s2_iter_next(&it, &m));
	is_leaf(&m, &leaves[0]);
	assert_true(s2_iter_next(&it, &m));
	is_leaf(&m, &leaves[1]);
	assert_false(s2_iter_next(&it, &m));
	bed_close(&bed);
}

static void an_empty_range_has_no_leaf(void **state)
{
	struct s2_mapping m;
	struct s2_iter it;
	char line[S2_DUMP_LINE];

	(void)state;
	open_bed();
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(3 * GIB), 500 * GIB), 0);
	assert_false(s2_iter_next(&it, &m));
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(3 * GIB), 500 * GIB), 0);
	assert_false(s2_dump_next(&it, line, sizeof(line)));
	bed_close(&bed);
}

static void a_busy_entry_is_seen(void **state)
{
	struct s2_mapping m;
	struct s2_iter it;
	struct s2_op op;
	char line[S2_DUMP_LINE];

	(void)state;
	bed_open(&bed, 40, 0, 64);
	bed_park(&bed, &op, 2 * GIB, 16 * GIB);
	m = bed_lookup(&bed, 2 * GIB + 3 * MIB);
	assert_int_equal(m.state, S2_BUSY);
	assert_true(m.ipa.ipa == 2 * GIB && m.size == GIB && m.level == 1);
	assert_int_equal(m.attr, 0);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), 4 * GIB), 0);
	assert_true(s2_iter_next(&it, &m));
	assert_int_equal(m.state, S2_BUSY);
	assert_true(m.ipa.ipa == 2 * GIB && m.size == GIB);
	assert_false(s2_iter_next(&it, &m));
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), 4 * GIB), 0);
	assert_true(s2_dump_next(&it, line, sizeof(line)));
	assert_string_equal(line, "0x80000000-0xc0000000 busy L1");
	assert_false(s2_dump_next(&it, line, sizeof(line)));
	bed_end_park(&bed, &op, 2 * GIB);
	bed_close(&bed);
}

/* The lines of a dump of the range: those, and no more. */
static void dump_is(uint64_t ipa, uint64_t size, const char *const *want, unsigned n)
{
	char line[S2_DUMP_LINE];
	struct s2_iter it;

	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(ipa), size), 0);
	for (unsigned i = 0; i < n; i++) {
		assert_true(s2_dump_next(&it, line, sizeof(line)));
		assert_string_equal(line, want[i]);
	}
	assert_false(s2_dump_next(&it, line, sizeof(line)));
}
#define DUMP_IS(ipa, size, want) dump_is(ipa, size, want, sizeof(want) / sizeof(*(want)))

/* Three pages and a table that an open batch has broken. */
static void busy_entries_have_a_line_each(void **state)
{
	static const char *const want[] = {
		"0x40000000-0x40001000 busy L3",
		"0x40001000-0x40002000 busy L3",
		"0x40002000-0x40003000 busy L3",
		"0x40003000-0x40004000 -> 0x100003000 L3 x1 rw- wb af",
		"0x40200000-0x40400000 busy L2",
	};
	struct s2_batch batch;
	struct s2_op in = { .batch = &batch };

	(void)state;
	bed_open(&bed, 40, 0, 8);
	bed_map(&bed, GIB, 4 * GIB, 4 * PAGE, RW, 0);
	bed_map(&bed, GIB + 2 * MIB, 8 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB), 3 * PAGE, 0, &in), 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(GIB + 2 * MIB), 2 * MIB, 0, &in), 0);
	DUMP_IS(GIB, GIB, want);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	bed_close(&bed);
}

static void looking_changes_and_costs_nothing(void **state)
{
	struct s2_mapping m;
	struct s2_iter it;
	struct cost c;

	(void)state;
	open_bed();
	bed_cost(&bed);
	bed_lookup(&bed, 2 * GIB);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(0), UINT64_C(1) << 40), 0);
	while (s2_iter_next(&it, &m))
		;
	c = bed_cost(&bed);
	assert_int_equal(c.tlbi | c.dsb | c.isb | c.clean_bytes, 0);
	bed_check(&bed);
	bed_close(&bed);
}

static const char *const dump[] = {
	"0x0-0x40000000 -> 0x200000000 L1 x1 rwx wb af",
	"0x80000000-0x80400000 -> 0x400000000 L2 x2 rw- nc af",
	"0x80800000-0x80802000 -> 0x800000000 L3 x2 r-- wb af sw5",
	"0x80804000-0x80805000 -> 0x800004000 L3 x1 rw- nGnRE af",
	"0xffc0000000-0xffc0001000 -> 0x8000 L3 x1 -w- s1 af",
};

static void a_dump_is_one_line_for_each_run(void **state)
{
	(void)state;
	open_bed();
	DUMP_IS(0, UINT64_C(1) << 40, dump);
	bed_close(&bed);
}

/* What few instances have: dirty state, shareability, runs, one of XU and XP. */
static void a_dump_says_what_is_rare(void **state)
{
	static const char *const want[] = {
		"0x40000000-0x40001000 -> 0x100000000 L3 x1 rw- wb af dirty",
		"0x40001000-0x40002000 -> 0x100001000 L3 x1 r-- wb af clean",
		"0x40002000-0x40003000 -> 0x100002000 L3 x1 r-u nc af outer",
		"0x40003000-0x40004000 -> 0x100003000 L3 x1 --p wb af unshared sw15",
		"0x40010000-0x40020000 -> 0x100010000 L3 x16 rw- wb af cont",
		"0x40020000-0x40021000 note 0x5a L3 x1",
	};

	(void)state;
	bed_open(&bed, 40, S2_FEAT_HAFDBS | S2_FEAT_DBM | S2_FEAT_XNX, 8);
	bed_map(&bed, GIB, 4 * GIB, PAGE, RW | S2_DBM, 0);
	bed_map(&bed, GIB + PAGE, 4 * GIB + PAGE, PAGE, S2_R | S2_DBM, 0);
	bed_map(&bed, GIB + 2 * PAGE, 4 * GIB + 2 * PAGE, PAGE,
		S2_R | S2_XU | S2_MEM_NC | S2_SH_OUTER, 0);
	bed_map(&bed, GIB + 3 * PAGE, 4 * GIB + 3 * PAGE, PAGE,
		S2_XP | S2_SH_NONE | S2_SW(15), 0);
	bed_map(&bed, GIB + 16 * PAGE, 4 * GIB + 16 * PAGE, 16 * PAGE, RW, S2_MAP_CONT);
	assert_int_equal(
		s2_annotate(&bed.s2, s2_ipa(GIB + 32 * PAGE), PAGE, 0x5a, 0, NULL), 0);
	DUMP_IS(0, UINT64_C(1) << 40, want);
	bed_close(&bed);
}

/*
 * A hole, another address, permission or age ends a line; a boundary of tables does
 * not.
 */
static void a_line_ends_where_leaves_differ(void **state)
{
	static const char *const want[] = {
		"0x3ffff000-0x40001000 -> 0x7ffff000 L3 x2 rw- wb af",
		"0x40001000-0x40002000 -> 0x80001000 L3 x1 r-- wb af",
		"0x40002000-0x40003000 -> 0x80002000 L3 x1 rw- wb",
		"0x40003000-0x40004000 -> 0x80005000 L3 x1 rw- wb af",
		"0x40005000-0x40006000 -> 0x80006000 L3 x1 rw- wb af",
	};
	bool young = false;

	(void)state;
	bed_open(&bed, 40, 0, 8);
	bed_map(&bed, GIB - PAGE, 2 * GIB - PAGE, 4 * PAGE, RW, 0);
	bed_map(&bed, GIB + 3 * PAGE, 2 * GIB + 5 * PAGE, PAGE, RW, 0);
	bed_map(&bed, GIB + 5 * PAGE, 2 * GIB + 6 * PAGE, PAGE, RW, 0);
	assert_int_equal(s2_wrprotect(&bed.s2, s2_ipa(GIB + PAGE), PAGE, 0, NULL), 0);
	assert_int_equal(
		s2_age(&bed.s2, s2_ipa(GIB + 2 * PAGE), PAGE, S2_CLEAR, &young, NULL), 0);
	DUMP_IS(0, UINT64_C(1) << 40, want);
	bed_close(&bed);
}

static void a_short_buffer_cuts_the_line(void **state)
{
	(void)state;
	open_bed();
	for (size_t size = 0; size < strlen(dump[0]) + 2; size++) {
		char line[S2_DUMP_LINE];
		struct s2_iter it;
		size_t n = strlen(dump[0]);

		memset(line, '#', sizeof(line));
		assert_int_equal(
			s2_iter_start(&it, &bed.s2, s2_ipa(0), UINT64_C(1) << 40), 0);
		assert_true(s2_dump_next(&it, line, size));
		assert_int_equal(line[size], '#');
		if (!size)
			continue;
		if (n > size - 1)
			n = size - 1;
		assert_int_equal(strlen(line), n);
		assert_memory_equal(line, dump[0], n);
	}
	bed_close(&bed);
}

/* Tables by level and mapped bytes by level, against a walk over what is there. */
static void the_counters_say_what_a_walk_finds(void **state)
{
	uint64_t seed = 1, found[S2_LEVELS], tables, issued = 0;
	struct s2_survey v;
	struct s2_op steps = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	struct s2_stats stats;
	struct s2_iter it;
	struct s2_mapping m;
	int ret;

	(void)state;
	bed_open(&bed, 40, S2_FEAT_FWB, 256);
	for (int n = 0; n < 400; n++) {
		uint64_t ipa, size;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ipa = (seed >> 40) % (8 * GIB / PAGE) * PAGE;
		size = seed >> 20 & 1 ? PAGE * (1 + (seed >> 21) % 9) : 2 * MIB;
		ipa &= ~(size == 2 * MIB ? size - 1 : 0);
		if (seed >> 33 & 1)
			s2_map(&bed.s2, s2_ipa(ipa), s2_pa(ipa + 64 * GIB), size, RW,
			       S2_MAP_REPLACE | S2_DROP_EDGES, NULL);
		else
			s2_unmap(&bed.s2, s2_ipa(ipa & ~(GIB - 1)), GIB / 2,
				 S2_DROP_EDGES, NULL);
		assert_null(meta_check(&bed.s2, &tables));
		s2_stats(&bed.s2, &stats);
		assert_true(stats.tables[0] == 0 && stats.tables[1] == 0);
		assert_true(stats.tables[2] + stats.tables[3] == tables);
		assert_true(stats.tlbis[0] + stats.tlbis[1] + stats.tlbis[2] >= issued);
		issued = stats.tlbis[0] + stats.tlbis[1] + stats.tlbis[2];

		memset(found, 0, sizeof(found));
		do
			ret = s2_survey(&bed.s2, s2_ipa(0), UINT64_C(1) << 40, 0, &v,
					&steps);
		while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		s2_iter_start(&it, &bed.s2, s2_ipa(0), UINT64_C(1) << 40);
		while (s2_iter_next(&it, &m))
			found[m.level] += m.size;
		assert_memory_equal(v.leaves, found, sizeof(found));
	}
	/* The part of a block that is in the range. */
	bed_map(&bed, 16 * GIB, 64 * GIB, GIB, RW, 0);
	assert_int_equal(s2_survey(&bed.s2, s2_ipa(16 * GIB + PAGE), 3 * PAGE, S2_SHARED,
				   &v, NULL),
			 0);
	assert_true(v.mapped == 3 * PAGE && v.leaves[1] == 3 * PAGE && v.uniform);
	assert_int_equal(s2_survey(&bed.s2, s2_ipa(1), PAGE, 0, &v, NULL), S2_E_ALIGN);
	assert_int_equal(s2_survey(&bed.s2, s2_ipa(0), PAGE, 1, &v, NULL), S2_E_FLAGS);
	bed_close(&bed);
}

static struct s2_survey surveyed(uint64_t ipa, uint64_t size)
{
	struct s2_survey v, by_steps;
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };
	int ret;

	memset(&v, 0xa5, sizeof(v));
	memset(&by_steps, 0x5a, sizeof(v));
	assert_int_equal(s2_survey(&bed.s2, s2_ipa(ipa), size, 0, &v, NULL), 0);
	assert_true(v.mapped + v.noted + v.busy + v.empty == size);
	assert_true(v.leaves[0] + v.leaves[1] + v.leaves[2] + v.leaves[3] == v.mapped);
	do
		ret = s2_survey(&bed.s2, s2_ipa(ipa), size, 0, &by_steps, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(by_steps.uniform == v.uniform && by_steps.all == v.all &&
		    by_steps.any == v.any && by_steps.note == v.note &&
		    by_steps.noted == v.noted && by_steps.busy == v.busy);
	assert_memory_equal(by_steps.leaves, v.leaves, sizeof(v.leaves));
	return v;
}

static void a_survey_says_with_what_a_range_is_mapped(void **state)
{
	const s2_attr_t other = S2_R | S2_X | S2_MEM_NC | S2_SW(4);
	struct s2_survey v;
	bool young;

	(void)state;
	bed_open(&bed, 40, S2_FEAT_FWB, 16);
	v = surveyed(GIB, GIB);
	assert_true(v.uniform && v.empty == GIB && !v.all && !v.any);
	bed_map(&bed, GIB, 4 * GIB, 4 * MIB, RW, S2_MAP_PAGES);
	bed_map(&bed, GIB + 4 * MIB, 4 * GIB + 4 * MIB, 2 * MIB, RW, 0);
	/* Neither the level, nor the address, nor the age is an attribute. */
	assert_int_equal(
		s2_age(&bed.s2, s2_ipa(GIB + PAGE), PAGE, S2_CLEAR, &young, NULL), 0);
	v = surveyed(GIB, 6 * MIB);
	assert_true(v.uniform && v.all == RW && v.any == RW);
	assert_true(v.leaves[3] == 4 * MIB && v.leaves[2] == 2 * MIB);
	/* The hole behind it. */
	v = surveyed(GIB + 5 * MIB, 2 * MIB);
	assert_true(!v.uniform && v.all == RW && v.any == RW);
	assert_true(v.mapped == MIB && v.empty == MIB);
	/* One page in the middle of a run, at each place that a loop could miss. */
	for (unsigned i = 0; i < 70; i++) {
		uint64_t at = GIB + 2 * MIB + i * PAGE;

		bed_map(&bed, at, 8 * GIB, PAGE, other, S2_MAP_REPLACE);
		v = surveyed(GIB, 6 * MIB);
		assert_true(!v.uniform && v.all == (RW & other));
		assert_true(v.any == (RW | other) && v.mapped == 6 * MIB);
		v = surveyed(at, PAGE);
		assert_true(v.uniform && v.all == other && v.any == other);
		bed_unmap(&bed, at, PAGE, 0);
		v = surveyed(GIB, 6 * MIB);
		assert_true(!v.uniform && v.all == RW && v.any == RW);
		assert_true(v.empty == PAGE);
		bed_map(&bed, at, 4 * GIB + (at - GIB), PAGE, RW, 0);
		assert_true(surveyed(GIB, 6 * MIB).uniform);
	}
	bed_close(&bed);
}

static void a_survey_says_which_annotation(void **state)
{
	struct s2_survey v;

	(void)state;
	bed_open(&bed, 40, S2_FEAT_FWB, 16);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(GIB), 4 * MIB, 7, 0, NULL), 0);
	v = surveyed(GIB + PAGE, 2 * MIB);
	assert_true(v.uniform && v.note == 7 && v.noted == 2 * MIB);
	assert_int_equal(s2_annotate(&bed.s2, s2_ipa(GIB + MIB), PAGE, 9, 0, NULL), 0);
	v = surveyed(GIB, 4 * MIB);
	assert_true(!v.uniform && !v.note && v.noted == 4 * MIB);
	/* The first value comes again. */
	v = surveyed(GIB + MIB, 3 * MIB);
	assert_true(!v.uniform && !v.note);
	v = surveyed(GIB + 2 * MIB, 4 * MIB);
	assert_true(!v.uniform && v.note == 7 && v.empty == 2 * MIB);
	bed_close(&bed);
}

static uint64_t table_loads, table_pa;

static void count_loads(struct count_port *port, enum count_event what, uint64_t at,
			uint64_t value)
{
	(void)port;
	(void)value;
	table_loads += what == COUNT_LOAD && (at & ~(PAGE - 1)) == table_pa;
}

/* A replacing map that has cleaned the old memory leaves a table empty for a step. */
static void a_survey_reads_no_empty_table(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	struct meta_seen seen;
	unsigned times = 0;
	int ret;

	(void)state;
	bed_open(&bed, 40, 0, 16);
	bed_map(&bed, GIB, 4 * GIB, 2 * MIB, RW, S2_MAP_PAGES);
	table_pa = *bed_entry(&bed, GIB, 2) & ~(PAGE - 1) & ((UINT64_C(1) << 48) - 1);
	do {
		ret = s2_map(&bed.s2, s2_ipa(GIB), s2_pa(8 * GIB), 2 * MIB, RW,
			     S2_MAP_REPLACE | S2_MAP_PAGES, &op);
		assert_null(meta_look(&bed.s2, &seen));
		if (ret != S2_MORE || !seen.empty)
			continue;
		times++;
		table_loads = 0;
		bed.port.record = count_loads;
		assert_true(surveyed(GIB, 2 * MIB).empty == 2 * MIB);
		bed.port.record = NULL;
		assert_int_equal(table_loads, 0);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(times);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counters_say_what_a_walk_finds),
		cmocka_unit_test(a_survey_says_with_what_a_range_is_mapped),
		cmocka_unit_test(a_survey_says_which_annotation),
		cmocka_unit_test(a_survey_reads_no_empty_table),
		cmocka_unit_test(lookup_finds_the_leaf_or_the_hole),
		cmocka_unit_test(translate_finds_every_byte),
		cmocka_unit_test(translate_says_why_not),
		cmocka_unit_test(the_cursor_visits_each_leaf_once),
		cmocka_unit_test(the_cursor_may_start_and_end_inside_a_block),
		cmocka_unit_test(an_empty_range_has_no_leaf),
		cmocka_unit_test(a_busy_entry_is_seen),
		cmocka_unit_test(busy_entries_have_a_line_each),
		cmocka_unit_test(looking_changes_and_costs_nothing),
		cmocka_unit_test(a_dump_is_one_line_for_each_run),
		cmocka_unit_test(a_dump_says_what_is_rare),
		cmocka_unit_test(a_line_ends_where_leaves_differ),
		cmocka_unit_test(a_short_buffer_cuts_the_line),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
