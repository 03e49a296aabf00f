/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random operations on a window of pages. A flat array has the expected state of each
 * page, and the MMU is asked after each operation.
 */
#include "target.h"

#define WINDOW 600u /* pages: more than a table of 4 KiB granules */
#define OPERATIONS 60u
#define PROBES 12u

struct expected {
	uint64_t pa; /* 0: not mapped */
	bool writable;
};

static bool probe(struct bed *b, uint64_t base, const struct expected *e, unsigned page)
{
	const uint64_t off = rnd(b) % (b->page / 8) * 8;
	const uint64_t ipa = base + page * b->page + off, value = rnd(b);
	const unsigned cpu = (unsigned)(rnd(b) % b->cpus);
	struct touched t;

	t = touch(cpu, READ, ipa, 0);
	if (!e[page].pa) {
		CHECK_EQ(t.outcome, TRANSLATION);
		return true;
	}
	CHECK_EQ(t.outcome, DONE);
	CHECK_EQ(t.value, *word(e[page].pa + off));
	t = touch(cpu, WRITE, ipa, value);
	CHECK_EQ(t.outcome, e[page].writable ? DONE : PERMISSION);
	if (e[page].writable)
		CHECK_EQ(*word(e[page].pa + off), value);
	return true;
}

enum what { MAP, UNMAP, SPLIT, PROTECT, COLLAPSE, WHATS };

/* One change, exclusive or shared. There is no other call, so both must do it. */
static int change(struct bed *b, enum what what, uint64_t ipa, uint64_t pa, uint64_t size)
{
	const uint32_t flags = rnd(b) & 1 ? S2_SHARED : 0;
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };
	int err = 0;

	do {
		switch (what) {
		case MAP:
			err = s2_map(&b->s2, s2_ipa(ipa), s2_pa(pa), size, S2_R | S2_W,
				     S2_MAP_REPLACE | S2_SPLIT_EDGES | flags, &op);
			break;
		case UNMAP:
			err = s2_unmap(&b->s2, s2_ipa(ipa), size, S2_SPLIT_EDGES | flags,
				       &op);
			break;
		case PROTECT:
			/* A block at the edge would be protected whole. */
			err = s2_split(&b->s2, s2_ipa(ipa), size, 0, NULL);
			if (!err)
				err = s2_wrprotect(&b->s2, s2_ipa(ipa), size, 0, NULL);
			break;
		case SPLIT:
			err = s2_split(&b->s2, s2_ipa(ipa), size, flags, &op);
			break;
		default:
			err = s2_collapse(&b->s2, s2_ipa(ipa), size, flags, &op);
		}
	} while (err == S2_MORE);
	return err ? err : s2_release(&b->s2, &limbo, NULL);
}

bool test_random(struct bed *b)
{
	static struct expected e[WINDOW];
	/* The place of the window, and how it lies in blocks, are random too. */
	const uint64_t base = GIB(1) + rnd(b) % 1024 * b->page;

	memset(e, 0, sizeof(e));
	for (unsigned i = 0; i < OPERATIONS; i++) {
		const unsigned first = (unsigned)(rnd(b) % WINDOW);
		const unsigned n = 1 + (unsigned)(rnd(b) % (WINDOW - first));
		const uint64_t ipa = base + first * b->page, size = n * b->page;
		const uint64_t pa = DATA + MIB(64) + rnd(b) % 1000 * b->page;
		const enum what what = (enum what)(rnd(b) % WHATS);

		CHECK_EQ(change(b, what, ipa, pa, size), 0);
		for (unsigned p = first; p < first + n; p++) {
			if (what == MAP)
				e[p] = (struct expected){ pa + (p - first) * b->page,
							  true };
			else if (what == UNMAP)
				e[p] = (struct expected){ 0 };
			else if (what == PROTECT)
				e[p].writable = false;
		}
		for (unsigned p = 0; p < PROBES; p++)
			CHECK(probe(b, base, e, (unsigned)(rnd(b) % WINDOW)));
		/* Most mistakes are at the edges. */
		CHECK(probe(b, base, e, first));
		CHECK(probe(b, base, e, first + n - 1));
	}
	return true;
}
