// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stock stage-2 functions and the engine's glue beside each other: the same random
 * calls, the same results, and after each call the same descriptors.
 *
 *	diff [CALLS [SEED]]
 *
 * What differs on purpose is in except().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

#define PAGE (UINT64_C(1) << PAGE_SHIFT)
#define PAGES (PAGE / 8)
#define HUGE (PAGES * PAGE)
#define AREA (2 * HUGE)

static const struct side *const side[2] = { &side_stock, &side_ours };
static uint64_t seed;
static uint64_t start; /* of the area */

static uint64_t rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % n;
}

struct call {
	enum { MAP, UNMAP, WRPROTECT, RELAX, YOUNG, AGE, SPLIT, KINDS } kind;
	uint64_t ipa, size, pa, prot;
	bool flag; /* a fault; clear */
};

static const char *const kind_name[KINDS] = { "map",	 "unmap", "wrprotect", "relax",
					      "mkyoung", "age",	  "split" };

static struct call next(void)
{
	struct call c = { .kind = (int[]){ MAP, MAP, MAP, MAP, UNMAP, UNMAP, WRPROTECT,
					   RELAX, RELAX, YOUNG, AGE, SPLIT }[rnd(12)] };

	c.flag = rnd(4);
	c.ipa = start + rnd(AREA / PAGE) * PAGE;
	c.size = PAGE;
	c.prot = rnd(16);
	/* Mostly execute at both exception levels, or at none. */
	if (rnd(4))
		c.prot = (c.prot & ~(uint64_t)X) | (c.prot & XU ? X : 0);
	switch (c.kind) {
	case MAP:
		if (!rnd(4)) {
			c.size = HUGE;
			c.ipa &= ~(HUGE - 1);
		}
		if (!(c.prot & X) && !rnd(8))
			c.prot |= rnd(2) ? DEVICE : NC;
		/* Nearly always the same memory. */
		c.pa = HIGH + (UINT64_C(1) << 40) + c.ipa % AREA +
		       (rnd(32) ? 0 : 4 * HUGE);
		break;
	case RELAX:
	case YOUNG:
		break;
	default:
		c.size = 1 + rnd(rnd(4) ? 8 * PAGE : AREA);
		c.ipa += rnd(4) ? 0 : rnd(PAGE);
		if (c.ipa + c.size > start + AREA)
			c.size = start + AREA - c.ipa;
	}
	return c;
}

#define AF (UINT64_C(1) << 10)

/* MemAttr: Device below 5, Normal non-cacheable 5. */
static unsigned type(uint64_t d)
{
	return d >> 2 & 15;
}

/* Execute at EL0, at EL1: by the XN field. */
static unsigned exec(uint64_t d)
{
	return (unsigned[]){ X, XU, 0, XP }[d >> 53 & 3];
}

/*
 * Calls that are not made, because the two differ on purpose. Each has its reason.
 */
static bool except(const struct call *c)
{
	for (uint64_t at = c->ipa & ~(PAGE - 1); at < c->ipa + c->size + PAGE;
	     at += PAGE) {
		int level;
		uint64_t d = side_stock.leaf(at, &level);

		/*
		 * A leaf without the access flag: stock breaks it and makes a new one,
		 * ours lets the guest take an access flag fault. A relax gives the flag.
		 */
		if ((c->kind == MAP || c->kind == RELAX) && d && !(d & AF))
			return true;
		/* Execute permission for Device memory: refused. KVM refuses it, too. */
		if (c->kind == RELAX && c->prot & X && d && type(d) < 5)
			return true;
		/* Stock takes the other execute permission away. */
		if (c->kind == RELAX && c->prot & X && d && exec(d) & ~c->prot)
			return true;
		/* Stock's split makes write-back memory of any type. */
		if (c->kind == SPLIT && d && type(d) <= 5)
			return true;
	}
	return false;
}

static int64_t make(const struct side *s, const struct call *c)
{
	switch (c->kind) {
	case MAP:
		return s->map(c->ipa, c->size, c->pa, c->prot, c->flag);
	case UNMAP:
		return s->unmap(c->ipa, c->size);
	case WRPROTECT:
		return s->wrprotect(c->ipa, c->size);
	case RELAX:
		return s->relax(c->ipa, c->prot);
	case YOUNG:
		return (int64_t)s->mkyoung(c->ipa);
	case AGE:
		return s->young(c->ipa, c->size, c->flag);
	default:
		return s->split(c->ipa, c->size);
	}
}

static void wrong(uint64_t n, const struct call *c, const char *what, uint64_t at,
		  uint64_t stock, uint64_t ours)
{
	printf("call %" PRIu64 ", %s 0x%" PRIx64 " size 0x%" PRIx64 " pa 0x%" PRIx64
	       " prot %" PRIu64 " flag %d: %s 0x%" PRIx64 ": stock 0x%" PRIx64
	       ", ours 0x%" PRIx64 "\n",
	       n, kind_name[c->kind], c->ipa, c->size, c->pa, c->prot, c->flag, what, at,
	       stock, ours);
	exit(1);
}

/* Whether a page is mapped out of a block. */
static bool blocked(const struct call *c)
{
	int level = 3;

	return c->kind == MAP && c->size == PAGE && side_stock.leaf(c->ipa, &level) &&
	       level == 2;
}

/*
 * Without FWB stock leaves the rest of the block unmapped, and does not clean it. Ours
 * makes pages of the block, and asks for a second fault. Both go on as stock does.
 */
static void take_apart(const struct call *c)
{
	uint64_t block = c->ipa & ~(HUGE - 1);
	static uint64_t before[PAGES];
	int64_t ret;
	int level;

	for (uint64_t i = 0; i < PAGES; i++)
		before[i] = side_ours.leaf(block + i * PAGE, &level);
	ret = make(&side_ours, c);
	if (ret == -EINVAL)
		return; /* stock refuses it, too */
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t d = side_ours.leaf(block + i * PAGE, &level);

		if (level == 2 ||
		    (d != (before[i] | 2 | i * PAGE) && block + i * PAGE != c->ipa)) {
			printf("a page out of a block: page %" PRIu64 " is 0x%" PRIx64
			       "\n",
			       i, d);
			exit(1);
		}
	}
	if (ret && ret != -EAGAIN && c->flag) {
		printf("a page out of a block: %" PRId64 "\n", ret);
		exit(1);
	}
	side_ours.unmap(block, HUGE);
}

static void compare(uint64_t n, const struct call *c)
{
	for (uint64_t at = start; at < start + AREA; at += PAGE) {
		uint64_t d[2];
		int level[2];

		for (int i = 0; i < 2; i++)
			d[i] = side[i]->leaf(at, &level[i]);
		if (d[0] != d[1])
			wrong(n, c, "descriptor", at, d[0], d[1]);
		if (d[0] && level[0] != level[1])
			wrong(n, c, "level", at, (uint64_t)level[0], (uint64_t)level[1]);
	}
}

/*
 * A fault beside another one, of a page of any block. The rival is first. Our call may
 * have to be repeated, but what KVM has put into its cache is always enough.
 */
static void contest(const struct call *c, bool fwb)
{
	struct call r = *c;
	int64_t ret;

	r.size = PAGE;
	r.ipa = start + rnd(AREA / PAGE) * PAGE;
	r.pa = HIGH + (UINT64_C(1) << 40) + r.ipa % AREA;
	if (rnd(2))
		for (int i = 0; i < 2; i++)
			side[i]->unmap(start, AREA);
	if (except(&r) || (!fwb && (blocked(&r) || blocked(c))))
		return;
	side_ours.rival(r.ipa, r.pa, r.prot);
	ret = make(&side_ours, c);
	if (side_ours.rival_left())
		make(&side_ours, &r);
	if (ret == -ENOMEM) {
		printf("map 0x%" PRIx64 " beside 0x%" PRIx64 ": no memory\n", c->ipa,
		       r.ipa);
		exit(1);
	}
	make(&side_ours, c);
	make(&side_stock, &r);
	make(&side_stock, c);
}

/* The same calls on both, from empty tables to empty tables. */
static void run(uint64_t calls, bool fwb, bool tlbirange, unsigned ipa_bits)
{
	/* The upper half, to address all of the root. */
	start = UINT64_C(1) << (ipa_bits - 1);
	for (int i = 0; i < 2; i++)
		side[i]->open(fwb, tlbirange, ipa_bits);
	for (uint64_t n = 0; n < calls; n++) {
		struct call c;
		int64_t ret[2];

		do
			c = next();
		while (except(&c));
		ret[1] = -ENOMEM;
		if (c.kind == MAP && c.flag && !rnd(8)) {
			contest(&c, fwb);
			compare(n, &c);
			continue;
		}
		if (!fwb && blocked(&c)) {
			take_apart(&c);
		} else if (c.kind == MAP && !rnd(4)) {
			/* Nothing has changed if the tables cannot be made. */
			side_ours.starve((int)rnd(3));
			ret[1] = make(&side_ours, &c);
			side_ours.starve(-1);
			if (ret[1] == -ENOMEM)
				compare(n, &c);
		}
		if (ret[1] == -ENOMEM)
			ret[1] = make(&side_ours, &c);
		ret[0] = make(&side_stock, &c);
		if (ret[0] != ret[1])
			wrong(n, &c, "result of", c.ipa, (uint64_t)ret[0],
			      (uint64_t)ret[1]);
		compare(n, &c);
	}
	/* With the table above them, which is detached unread: none is lost. */
	for (int i = 0; i < 2; i++)
		if (side[i]->unmap(start, start) || side[i]->tables()) {
			printf("%s: %" PRIu64 " tables are left\n", i ? "ours" : "stock",
			       side[i]->tables());
			exit(1);
		}
}

int main(int argc, char **argv)
{
	static const unsigned ipa_bits[] = { 32, 40, PA_BITS };
	uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 0) : 4000;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	/* After each call all pages are compared: a block has more of them. */
	calls = (calls + PAGES / 512 - 1) / (PAGES / 512);
	seed = first + 0x9e3779b97f4a7c15;
	for (int variant = 0; variant < 4; variant++)
		for (unsigned i = 0; i < sizeof(ipa_bits) / sizeof(*ipa_bits); i++)
			run(calls, variant & 1, variant & 2, ipa_bits[i]);
	printf("pages of %" PRIu64 " KiB, PA of %d bits, IPA of %u, %u and %u, with and "
	       "without FWB and TLBI range: %" PRIu64 " calls alike, seed %" PRIu64 "\n",
	       PAGE >> 10, PA_BITS, ipa_bits[0], ipa_bits[1], ipa_bits[2], 12 * calls,
	       first);
	return 0;
}
