/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each operation of the engine must mean to the MMU. Every case fills the TLBs of
 * all CPUs before it changes anything.
 */
#include "target.h"

#define RW (S2_R | S2_W)
#define BASE GIB(1) /* an IPA inside every IPA size */

/* The last granule of the IPA size. */
static uint64_t last_page(const struct bed *b)
{
	return (1ull << b->geo.ipa_bits) - b->page;
}

static int map(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr)
{
	return s2_map(&b->s2, s2_ipa(ipa), s2_pa(pa), size, attr, 0, NULL);
}

static int unmap(struct bed *b, uint64_t ipa, uint64_t size, uint32_t flags)
{
	return s2_unmap(&b->s2, s2_ipa(ipa), size, flags, NULL);
}

/* On each CPU: reads the current value, then writes @value. */
static bool owns(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t value)
{
	for (unsigned cpu = 0; cpu < b->cpus; cpu++) {
		struct touched t;

		*word(pa) = ~value;
		t = touch(cpu, READ, ipa, 0);
		CHECK_EQ(t.outcome, DONE);
		CHECK_EQ(t.value, ~value);
		t = touch(cpu, WRITE, ipa, value + cpu);
		CHECK_EQ(t.outcome, DONE);
		CHECK_EQ(*word(pa), value + cpu);
	}
	return true;
}

static bool test_empty(struct bed *b)
{
	const uint64_t at[] = { BASE, last_page(b), 1ull << (b->geo.ipa_bits - 1) };

	for (unsigned i = 0; i < 3; i++) {
		const struct touched t = touch(i % b->cpus, WRITE, at[i], 1);

		CHECK_EQ(t.outcome, TRANSLATION);
		CHECK_EQ(t.ipa, at[i]);
		CHECK_EQ(touch_all(b, READ, at[i], 0), TRANSLATION);
		CHECK_EQ(touch_all(b, RUN, at[i], 0), TRANSLATION);
	}
	return true;
}

static bool test_map(struct bed *b)
{
	const uint64_t at[] = { BASE, last_page(b), 1ull << (b->geo.ipa_bits - 1) };

	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(map(b, at[i], frame(FRAME_FREE + i), b->page, RW), 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(owns(b, at[i], frame(FRAME_FREE + i), 0x1234 + i));
		CHECK(owns(b, at[i] + b->page - 8, frame(FRAME_FREE + i) + b->page - 8,
			   i));
	}
	/* Neighbours are not mapped, and neither is what lies beyond the IPA size. */
	CHECK_EQ(touch_all(b, READ, BASE + b->page, 0), TRANSLATION);
	CHECK_EQ(touch_all(b, READ, BASE - 8, 0), TRANSLATION);
	if (b->geo.ipa_bits < b->cfg.pa_bits && b->geo.ipa_bits < 48)
		CHECK_EQ(touch_all(b, READ, last_page(b) + b->page, 0), TRANSLATION);
	return true;
}

static bool test_move(struct bed *b)
{
	const uint64_t at[] = { BASE, last_page(b) };

	for (unsigned i = 0; i < 2; i++) {
		const uint64_t old = frame(FRAME_FREE + 2 * i), new = old + KIB(64);

		CHECK_EQ(map(b, at[i], old, b->page, RW), 0);
		CHECK(owns(b, at[i], old, 0x10));
		CHECK_EQ(unmap(b, at[i], b->page, 0), 0);
		*word(old) = 0x5a5a;
		CHECK_EQ(touch_all(b, WRITE, at[i], 7), TRANSLATION);
		CHECK_EQ(touch_all(b, READ, at[i], 0), TRANSLATION);
		CHECK_EQ(map(b, at[i], new, b->page, RW), 0);
		CHECK(owns(b, at[i], new, 0x20));
		CHECK_EQ(*word(old), 0x5a5a);
	}
	return true;
}

/* An odd range out of the middle: all of it is unmapped, and nothing beside it. */
static bool range_of(struct bed *b, unsigned total, unsigned first, unsigned n)
{
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(DATA + MIB(64)), total * b->page, RW,
			S2_MAP_PAGES, NULL),
		 0);
	for (unsigned i = 0; i < total; i++)
		CHECK(owns(b, BASE + i * b->page, DATA + MIB(64) + i * b->page, i));
	CHECK_EQ(unmap(b, BASE + first * b->page, n * b->page, 0), 0);
	for (unsigned i = 0; i < total; i++) {
		const uint64_t ipa = BASE + i * b->page;

		if (i < first || i >= first + n)
			CHECK(owns(b, ipa, DATA + MIB(64) + i * b->page, ~i));
		else
			CHECK_EQ(touch_all(b, WRITE, ipa, 0xbad), TRANSLATION);
	}
	return true;
}

static bool test_range(struct bed *b)
{
	return range_of(b, 200, 33, 77);
}

static bool test_range_few(struct bed *b)
{
	return range_of(b, 12, 3, 5);
}

/* A table and its neighbours: all that a level-3 table maps. */
static bool test_table(struct bed *b)
{
	const unsigned entries = (unsigned)(b->page / 8);
	const uint64_t span = entries * b->page;
	/*
	 * 64 KiB pages: 512 MiB, and memory has less, so the same frames are used again.
	 */
	const uint64_t chunk = span > MIB(128) ? MIB(128) : span;
	const uint64_t spot[] = { 0, 1, entries / 2 + 1, entries - 1 };

	for (uint64_t off = 0; off < span; off += chunk)
		CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE + off), s2_pa(DATA + MIB(128)), chunk,
				RW, S2_MAP_PAGES, NULL),
			 0);
	CHECK_EQ(map(b, BASE + span, frame(FRAME_FREE), b->page, RW), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK(owns(b, BASE + spot[i] * b->page,
			   DATA + MIB(128) + spot[i] * b->page % chunk, i));
	CHECK(owns(b, BASE + span, frame(FRAME_FREE), 1));
	CHECK_EQ(unmap(b, BASE, span, 0), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(touch_all(b, READ, BASE + spot[i] * b->page, 0), TRANSLATION);
	CHECK(owns(b, BASE + span, frame(FRAME_FREE), 2));
	return true;
}

/* Size of the block at @level, or 0 if there is none in this layout. */
static uint64_t block_size(const struct bed *b, int level)
{
	const unsigned shift = b->geo.granule_shift;
	const bool wide = b->geo.lpa2 || (shift == 16 && b->cfg.pa_bits == 52);
	const uint64_t size = 1ull << ((shift - 3) * (4 - (unsigned)level) + 3);

	if (level < b->s2.start_level || level > 2 || (level == 0 && shift != 12) ||
	    (level == 0 && !wide) || (level == 1 && shift != 12 && !wide))
		return 0;
	return size;
}

/* The largest multiple of @size that is a frame, and a probe inside the data. */
static bool test_blocks(struct bed *b)
{
	for (int level = 0; level < 3; level++) {
		const uint64_t size = block_size(b, level);
		const uint64_t pa = size ? DATA & ~(size - 1) : 0;
		const uint64_t ipa = (1ull << b->geo.ipa_bits) - size;
		const uint64_t at = frame(FRAME_FREE + 5) - pa;
		struct s2_mapping m;

		/*
		 * The IPA size must have room for the code page, and the PAs must exist.
		 */
		if (!size || ipa < GIB(1) || pa + size > 1ull << b->s2.pa_bits)
			continue;
		/* Without the cleans: most of such a block is not memory. */
		CHECK_EQ(s2_map(&b->s2, s2_ipa(ipa), s2_pa(pa), size, RW, S2_NO_CLEAN,
				NULL),
			 0);
		CHECK_EQ(s2_lookup(&b->s2, s2_ipa(ipa + at), &m), 0);
		CHECK_EQ(m.level, level);
		CHECK(owns(b, ipa + at, pa + at, 3));
		CHECK(owns(b, ipa + at + b->page * 3, pa + at + b->page * 3, 4));
		CHECK_EQ(unmap(b, ipa, size, S2_NO_CLEAN), 0);
		CHECK_EQ(touch_all(b, READ, ipa + at, 0), TRANSLATION);
		CHECK_EQ(touch_all(b, WRITE, ipa + at + b->page * 3, 0), TRANSLATION);
	}
	return true;
}

/*
 * A level-2 block at BASE, all of it data. It is cleaned when unmapped, not when mapped.
 */
static bool block(struct bed *b, uint64_t *size, uint64_t *pa)
{
	*size = block_size(b, 2);
	*pa = DATA;
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(DATA), *size, RW, S2_NO_CLEAN, NULL),
		 0);
	return true;
}

static bool test_split_edges(struct bed *b)
{
	const uint64_t hole = 5 * b->page, at = FRAME_FREE * KIB(64);
	uint64_t size, pa;

	CHECK(block(b, &size, &pa));
	CHECK(owns(b, BASE + at, pa + at, 1));
	CHECK(owns(b, BASE + size / 2, pa + size / 2, 1));
	CHECK_EQ(unmap(b, BASE + size / 2, hole, 0), S2_E_BLOCK);
	CHECK(owns(b, BASE + size / 2, pa + size / 2, 2));
	CHECK_EQ(unmap(b, BASE + size / 2, hole, S2_SPLIT_EDGES), 0);
	for (uint64_t off = 0; off < hole; off += b->page)
		CHECK_EQ(touch_all(b, WRITE, BASE + size / 2 + off, 1), TRANSLATION);
	CHECK(owns(b, BASE + size / 2 - b->page, pa + size / 2 - b->page, 3));
	CHECK(owns(b, BASE + size / 2 + hole, pa + size / 2 + hole, 3));
	CHECK(owns(b, BASE + size - 8, pa + size - 8, 3));
	return true;
}

static bool test_drop_edges(struct bed *b)
{
	struct s2_op op = { 0 };
	uint64_t size, pa;

	CHECK(block(b, &size, &pa));
	CHECK(owns(b, BASE + size - 8, pa + size - 8, 1));
	CHECK_EQ(s2_unmap(&b->s2, s2_ipa(BASE + b->page), b->page, S2_DROP_EDGES, &op),
		 0);
	CHECK_EQ(op.start.ipa, BASE);
	CHECK_EQ(op.end.ipa, BASE + size);
	CHECK_EQ(touch_all(b, READ, BASE + size - 8, 0), TRANSLATION);
	CHECK_EQ(touch_all(b, READ, BASE + b->page, 0), TRANSLATION);
	return true;
}

static bool test_split(struct bed *b)
{
	const uint64_t at = FRAME_FREE * KIB(64);
	struct s2_mapping m;
	uint64_t size, pa;

	CHECK(block(b, &size, &pa));
	CHECK(owns(b, BASE + at, pa + at, 1));
	CHECK_EQ(s2_split(&b->s2, s2_ipa(BASE), size, 0, NULL), 0);
	CHECK_EQ(s2_lookup(&b->s2, s2_ipa(BASE + at), &m), 0);
	CHECK_EQ(m.level, 3);
	CHECK(owns(b, BASE + at, pa + at, 2));
	CHECK(owns(b, BASE + size - 8, pa + size - 8, 2));
	CHECK_EQ(unmap(b, BASE + at, b->page, 0), 0);
	CHECK_EQ(touch_all(b, WRITE, BASE + at, 2), TRANSLATION);
	CHECK(owns(b, BASE + at + b->page, pa + at + b->page, 3));
	return true;
}

/* Pages that a block could map are replaced by one. A page elsewhere keeps its table. */
static bool test_collapse(struct bed *b)
{
	const uint64_t size = block_size(b, 2), at = FRAME_FREE * KIB(64);
	struct s2_mapping m;

	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(DATA), size, RW,
			S2_MAP_PAGES | S2_NO_CLEAN, NULL),
		 0);
	CHECK(owns(b, BASE + at, DATA + at, 1));
	CHECK_EQ(s2_collapse(&b->s2, s2_ipa(BASE), size, 0, NULL), 0);
	CHECK_EQ(s2_lookup(&b->s2, s2_ipa(BASE + at), &m), 0);
	CHECK_EQ(m.level, 2);
	CHECK(owns(b, BASE + at, DATA + at, 2));
	CHECK(owns(b, BASE + size - 8, DATA + size - 8, 2));
	CHECK_EQ(s2_split(&b->s2, s2_ipa(BASE), size, 0, NULL), 0);
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE + at), s2_pa(DATA), b->page, RW,
			S2_MAP_REPLACE, NULL),
		 0);
	CHECK_EQ(s2_collapse(&b->s2, s2_ipa(BASE), size, 0, NULL), 0);
	CHECK_EQ(s2_lookup(&b->s2, s2_ipa(BASE + at), &m), 0);
	CHECK_EQ(m.level, 3);
	CHECK_EQ(unmap(b, BASE, size, S2_NO_CLEAN), 0);
	CHECK_EQ(touch_all(b, READ, BASE + at, 0), TRANSLATION);
	return true;
}

/* Write permission is removed from pages and from a block, and given back. */
static bool test_wrprotect(struct bed *b)
{
	const uint64_t at = FRAME_FREE * KIB(64);
	uint64_t size, pa;

	CHECK(block(b, &size, &pa));
	CHECK_EQ(map(b, BASE + size, DATA, b->page * 7, RW), 0);
	for (unsigned i = 0; i < 7; i++)
		CHECK_EQ(touch_all(b, READ, BASE + size + i * b->page, 0), DONE);
	CHECK(owns(b, BASE + at, pa + at, 1));
	CHECK(owns(b, BASE + size + 4 * b->page, DATA + 4 * b->page, 1));
	CHECK_EQ(s2_wrprotect(&b->s2, s2_ipa(BASE), size + 6 * b->page, 0, NULL), 0);
	*word(pa + at) = 99;
	CHECK_EQ(touch_all(b, WRITE, BASE + at, 5), PERMISSION);
	CHECK_EQ(touch_all(b, READ, BASE + at, 0), DONE);
	CHECK_EQ(*word(pa + at), 99);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(touch_all(b, WRITE, BASE + size + i * b->page, 5), PERMISSION);
	CHECK_EQ(touch_all(b, WRITE, BASE + size + 6 * b->page + 16, 5), DONE);
	CHECK_EQ(s2_relax_perms(&b->s2, s2_ipa(BASE), S2_W, 0), 0);
	CHECK(owns(b, BASE + at, pa + at, 2));
	CHECK_EQ(touch_all(b, WRITE, BASE + size, 5), PERMISSION);
	CHECK_EQ(s2_relax_perms(&b->s2, s2_ipa(BASE + size + 4 * b->page), S2_W, 0), 0);
	CHECK(owns(b, BASE + size + 4 * b->page, DATA + 4 * b->page, 3));
	CHECK_EQ(touch_all(b, WRITE, BASE + size + 5 * b->page, 5), PERMISSION);
	return true;
}

/* MOVZ X0, #value; RET */
static void put_code(uint64_t pa, uint32_t value)
{
	volatile uint32_t *code = (volatile uint32_t *)pa;

	code[0] = 0xd2800000 | value << 5;
	code[1] = 0xd65f03c0;
}

static bool test_execute(struct bed *b)
{
	const uint64_t one = frame(FRAME_FREE), other = frame(FRAME_FREE + 1);

	put_code(one, 77);
	put_code(other, 88);
	CHECK_EQ(map(b, BASE, one, b->page, S2_R), 0);
	CHECK_EQ(touch_all(b, READ, BASE, 0), DONE);
	CHECK_EQ(touch_all(b, RUN, BASE, 0), PERMISSION);
	CHECK_EQ(touch_all(b, WRITE, BASE, 0), PERMISSION);
	CHECK_EQ(s2_relax_perms(&b->s2, s2_ipa(BASE), S2_X, 0), 0);
	for (unsigned cpu = 0; cpu < b->cpus; cpu++)
		CHECK_EQ(touch(cpu, RUN, BASE, 0).value, 77);
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(other), b->page, S2_R | S2_X,
			S2_MAP_REPLACE, NULL),
		 0);
	for (unsigned cpu = 0; cpu < b->cpus; cpu++)
		CHECK_EQ(touch(cpu, RUN, BASE, 0).value, 88);
	return true;
}

static bool young(struct bed *b, uint64_t ipa, uint64_t size, bool clear, bool *is)
{
	*is = false;
	return s2_age(&b->s2, s2_ipa(ipa), size, clear ? S2_CLEAR : 0, is, NULL) == 0;
}

/*
 * The access flag: set by hardware with FEAT_HAFDBS, else by a fault. Ageing does not
 * invalidate TLBs, so it is followed by an operation that does.
 */
static bool test_age(struct bed *b)
{
	const bool hafdbs = b->cfg.features & S2_FEAT_HAFDBS;
	bool is;

	CHECK_EQ(map(b, BASE, frame(FRAME_FREE), 3 * b->page, RW), 0);
	CHECK_EQ(touch_all(b, READ, BASE + b->page, 0), DONE);
	CHECK(young(b, BASE, 3 * b->page, true, &is));
	CHECK(is);
	CHECK(young(b, BASE, 3 * b->page, true, &is));
	CHECK(!is);
	CHECK_EQ(s2_wrprotect(&b->s2, s2_ipa(BASE), 3 * b->page, 0, NULL), 0);
	CHECK(young(b, BASE, 3 * b->page, false, &is));
	CHECK(!is);
	CHECK_EQ(touch_all(b, READ, BASE + b->page, 0), hafdbs ? DONE : ACCESS_FLAG);
	if (!hafdbs) {
		CHECK_EQ(s2_mkyoung(&b->s2, s2_ipa(BASE + b->page), 0), 0);
		CHECK_EQ(touch_all(b, READ, BASE + b->page, 0), DONE);
	}
	CHECK(young(b, BASE, b->page, false, &is));
	CHECK(!is);
	CHECK(young(b, BASE + 2 * b->page, b->page, false, &is));
	CHECK(!is);
	CHECK(young(b, BASE + b->page, b->page, false, &is));
	CHECK(is);
	return true;
}

/* Pages are replaced by a block, and a block by pages, with other memory. */
static bool test_replace(struct bed *b)
{
	const uint64_t at = FRAME_FREE * KIB(64) + 3 * b->page;
	const uint64_t size = block_size(b, 2);

	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(DATA + b->page), size - b->page, RW,
			S2_MAP_PAGES, NULL),
		 0);
	CHECK(owns(b, BASE + at, DATA + b->page + at, 1));
	CHECK_EQ(map(b, BASE, DATA, size, RW), S2_E_EXIST);
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE), s2_pa(DATA), size, RW, S2_MAP_REPLACE,
			NULL),
		 0);
	*word(DATA + b->page + at) = 55;
	CHECK(owns(b, BASE + at, DATA + at, 2));
	CHECK_EQ(*word(DATA + b->page + at), 55);
	CHECK_EQ(s2_map(&b->s2, s2_ipa(BASE + at), s2_pa(DATA + at + 2 * b->page),
			b->page, RW, S2_MAP_REPLACE | S2_SPLIT_EDGES, NULL),
		 0);
	*word(DATA + at) = 66;
	CHECK(owns(b, BASE + at, DATA + at + 2 * b->page, 3));
	CHECK_EQ(*word(DATA + at), 66);
	CHECK(owns(b, BASE + at + b->page, DATA + at + b->page, 4));
	return true;
}

/*
 * Stage 1 is on. Its level-1 table is in a page that is moved to a frame with another
 * table in it. A walker that still has the old page reads the wrong mapping. VA 5 GiB is
 * the page at IPA 2 GiB by table A, and at IPA 3 GiB by table B.
 */
static bool test_stage1_walk(struct bed *b)
{
	const uint64_t a = frame(FRAME_S1_A), other = frame(FRAME_S1_B);
	const uint64_t attr = 0x701; /* block, accessed, inner shareable, MAIR 0 */

	for (unsigned i = 0; i < 512; i++)
		word(a)[i] = word(other)[i] = i < 4 ? (uint64_t)i << 30 | attr : 0;
	word(a)[5] = GIB(2) | attr;
	word(other)[5] = GIB(3) | attr;
	CHECK_EQ(map(b, GIB(2), frame(FRAME_FREE), b->page, RW), 0);
	CHECK_EQ(map(b, GIB(3), frame(FRAME_FREE + 1), b->page, RW), 0);
	CHECK_EQ(map(b, S1_IPA, a, b->page, RW), 0);
	*word(frame(FRAME_FREE)) = 0xa;
	*word(frame(FRAME_FREE + 1)) = 0xb;
	stage1(b, S1_IPA);
	for (unsigned cpu = 0; cpu < b->cpus; cpu++) {
		CHECK_EQ(touch(cpu, READ, GIB(5), 0).value, 0xa);
		CHECK_EQ(touch(cpu, READ, GIB(5), 0).outcome, DONE);
	}
	CHECK_EQ(unmap(b, S1_IPA, b->page, 0), 0);
	for (unsigned cpu = 0; cpu < b->cpus; cpu++) {
		const struct touched t = touch(cpu, READ, GIB(5), 0);

		CHECK_EQ(t.outcome, TRANSLATION);
		CHECK(t.esr & 1u << 7); /* S1PTW */
		CHECK_EQ(t.ipa, S1_IPA);
	}
	CHECK_EQ(map(b, S1_IPA, other, b->page, RW), 0);
	for (unsigned cpu = 0; cpu < b->cpus; cpu++)
		CHECK_EQ(touch(cpu, READ, GIB(5), 0).value, 0xb);
	stage1(b, 0);
	return true;
}

/* The same with the stage-1 table in the middle and at the end of the range. */
static bool test_stage1_range(struct bed *b)
{
	const uint64_t attr = 0x701;
	const unsigned n = 9;

	for (unsigned spot = 0; spot < n; spot += 4) {
		const uint64_t first = S1_IPA - spot * b->page + MIB(16);
		const uint64_t table = first + spot * b->page;
		const uint64_t pa = DATA + MIB(32) + spot * b->page;

		memset((void *)pa, 0, 4096);
		for (unsigned i = 0; i < 4; i++)
			word(pa)[i] = (uint64_t)i << 30 | attr;
		word(pa)[5] = GIB(2) | attr;
		CHECK_EQ(s2_map(&b->s2, s2_ipa(GIB(2)), s2_pa(frame(FRAME_FREE)), b->page,
				RW, S2_MAP_REPLACE, NULL),
			 0);
		CHECK_EQ(s2_map(&b->s2, s2_ipa(first), s2_pa(DATA + MIB(32)), n * b->page,
				RW, S2_MAP_PAGES, NULL),
			 0);
		stage1(b, table);
		CHECK_EQ(touch_all(b, READ, GIB(5), 0), DONE);
		CHECK_EQ(unmap(b, first, n * b->page, 0), 0);
		CHECK_EQ(touch_all(b, READ, GIB(5), 0), TRANSLATION);
		stage1(b, 0);
	}
	return true;
}

const struct test_case test_cases[] = {
	{ "what is not mapped faults", test_empty, false },
	{ "what is mapped is there, at the ends too", test_map, false },
	{ "a page moves", test_move, false },
	{ "a range out of a table", test_range, false },
	{ "a few pages, each by its address", test_range_few, false },
	{ "a whole table", test_table, false },
	{ "blocks of every level", test_blocks, false },
	{ "a hole in a block, split", test_split_edges, true },
	{ "a hole in a block, dropped", test_drop_edges, true },
	{ "a block split", test_split, true },
	{ "pages collapsed", test_collapse, true },
	{ "write protection", test_wrprotect, true },
	{ "execution", test_execute, false },
	{ "the access flag", test_age, false },
	{ "replacing", test_replace, true },
	{ "stage-1 tables move", test_stage1_walk, false },
	{ "stage-1 tables in a range", test_stage1_range, false },
	{ "random changes", test_random, false },
};
const unsigned test_cases_n = sizeof(test_cases) / sizeof(test_cases[0]);
