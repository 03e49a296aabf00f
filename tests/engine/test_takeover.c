/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unfinished operations that meet: up to four budgeted ones on overlapping ranges,
 * stepped in random order between other calls.
 *
 *   test_takeover [SEED [WORLDS]]
 *
 * What one leaves busy is a block that it has not cleaned to its end (a parked leaf), and
 * whoever meets it cleans it on. What must hold, whoever that is:
 *
 * - A normal leaf that is unmapped without S2_NO_CLEAN stays busy until its memory
 *   has been cleaned, after the invalidation (P3), whatever others waive (P14).
 * - Nothing but a block is busy between two calls.
 * - When an unmap has returned 0, nothing in its range waits for a clean, and
 *   nothing is valid or busy there that another call did not map meanwhile (P8).
 * - A call changes nothing outside the range it reports.
 * - At the end nothing is busy, every summary word is right, no table is lost.
 */
#include "watch.h"
#include "rnd.h"

/* Granules of 16 KiB: a block of 32 MiB is larger than most steps, so it is parked. */
#undef PAGE
#define PAGE (16 * KIB)
#define TABLE 2048u
#define BASE (64 * GIB - 64 * MIB)
#define PAGES (160 * MIB / PAGE)
#define OPS 4
#define FRAME_BASE (64 * GIB)
#define FRAME_SETS 2
#define FRAME_SET_SHIFT 40

/* An IPA page, and for each of the two frames that it may be mapped to. */
struct page {
	enum s2_state state;
	bool needs;  /* a leaf whose memory must be cleaned */
	uint8_t set; /* which frame it is mapped to */
	s2_attr_t type;
	uint64_t taken;		     /* the last call that took the empty place */
	bool dirty[FRAME_SETS];	     /* unmapped and not cleaned yet */
	uint8_t cleaned[FRAME_SETS]; /* in this call: 1 at all, 2 after a TLBI */
};

enum kind { NONE, UNMAP, MAP, SPLIT, WRPROTECT, CLEAN };

struct flight {
	enum kind kind;
	struct s2_op op;
	struct s2_limbo limbo;
	uint64_t ipa, size, pa, began;
	s2_attr_t attr;
	uint32_t flags;
};

static struct bed bed;
static struct watch watcher;
static struct page page[PAGES];
static struct flight flight[OPS];
static uint64_t seed = 1, worlds = 24, world, call;
static unsigned parked_worlds;
static bool failed_late; /* a map, after a step that had released what it replaced */

#define require(cond, ...)                                                               \
	do {                                                                             \
		if (!(cond)) {                                                           \
			print_error("seed %" PRIu64 ", world %" PRIu64 ", call %" PRIu64 \
				    "\n",                                                \
				    seed, world, call);                                  \
			fail_msg(__VA_ARGS__);                                           \
		}                                                                        \
	} while (0)

/* By the text of the interface, not by the engine's descriptors. */
static bool needs_clean(s2_attr_t attr)
{
	if (attr & S2_MEM_DEV_nGnRnE)
		return false;
	return !(bed.s2.features & S2_FEAT_FWB) || (attr & S2_MEM_MASK) != S2_MEM_WB;
}

/* The page's memory belongs to a leaf that was busy, so parked, before this call. */
static bool is_parked(uint64_t pa)
{
	uint64_t ipa = (pa & ((UINT64_C(1) << FRAME_SET_SHIFT) - 1)) - FRAME_BASE;

	return ipa >= BASE && ipa < BASE + PAGES * PAGE &&
	       page[(ipa - BASE) / PAGE].state == S2_BUSY;
}

static void on_event(enum count_event what, uint64_t at, uint64_t size)
{
	unsigned set = (unsigned)(at >> FRAME_SET_SHIFT);
	uint64_t ipa = (at & ((UINT64_C(1) << FRAME_SET_SHIFT) - 1)) - FRAME_BASE;

	if (what != COUNT_CLEAN)
		return;
	require(set < FRAME_SETS && ipa >= BASE && ipa + size <= BASE + PAGES * PAGE,
		"a clean of 0x%" PRIx64 ", which was never mapped", at);
	for (uint64_t i = (ipa - BASE) / PAGE; size; i++, size -= PAGE)
		page[i].cleaned[set] |= watcher.invalidated ? 2 : 1;
}

/* A page as it is now, against what it was before the call. */
static void page_after(struct page *p, uint64_t i, const struct s2_mapping *m,
		       bool waived, bool outside)
{
	uint64_t frame = m->state == S2_LEAF ? m->pa.pa + (BASE + i * PAGE - m->ipa.ipa) :
					       0;
	unsigned set = (unsigned)(frame >> FRAME_SET_SHIFT);
	s2_attr_t type = m->attr & S2_MEM_MASK;
	bool same = m->state == S2_LEAF && p->state == S2_LEAF && set == p->set &&
		    type == p->type;

	if (m->state == S2_LEAF)
		require((frame & ((UINT64_C(1) << FRAME_SET_SHIFT) - 1)) - FRAME_BASE ==
				BASE + i * PAGE,
			"page %" PRIu64 " has a wrong frame", i);
	require(!outside || same || (p->state != S2_LEAF && m->state != S2_LEAF),
		"page %" PRIu64 " is outside the call's range and was changed", i);
	for (unsigned s = 0; s < FRAME_SETS; s++)
		if (p->dirty[s] && p->cleaned[s])
			p->dirty[s] = false;
	if (p->state == S2_LEAF && !same && p->needs && !waived &&
	    !(p->cleaned[p->set] & 2))
		p->dirty[p->set] = true;
	for (unsigned s = 0; s < FRAME_SETS; s++) {
		if (!p->dirty[s] || m->state == S2_BUSY)
			continue;
		/* Who waives the clean waives it for what he breaks himself (P14). */
		require(waived && p->state == S2_LEAF,
			"page %" PRIu64 " is released before it is clean", i);
		p->dirty[s] = false;
	}
	/* Empty to busy: a neighbour was mapped, then their table detached. */
	if (m->state == S2_LEAF ? !same : p->state == S2_EMPTY && m->state == S2_BUSY)
		p->taken = call;
	/* Only a block is left broken between two calls. */
	require(m->state != S2_BUSY || m->level == 2, "page %" PRIu64 " is busy", i);
	p->state = m->state;
	p->cleaned[0] = p->cleaned[1] = 0;
	if (m->state != S2_LEAF)
		return;
	p->set = (uint8_t)set;
	p->type = type;
	p->needs = needs_clean(m->attr);
}

/* After every call. [start, end): where it may have changed something. */
static void observe(uint64_t start, uint64_t end, bool waived)
{
	const struct s2_mapping hole = { .state = S2_EMPTY };
	struct s2_mapping m;
	struct s2_iter it;
	uint64_t i = 0;

	watch_return(&watcher);
	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(BASE), PAGES * PAGE), 0);
	for (bool more = true; more && i < PAGES;) {
		uint64_t from = BASE + PAGES * PAGE, to = from;

		more = s2_iter_next(&it, &m);
		if (more) {
			from = m.ipa.ipa < BASE ? BASE : m.ipa.ipa;
			to = m.ipa.ipa + m.size < to ? m.ipa.ipa + m.size : to;
		}
		for (; BASE + i * PAGE < from; i++)
			page_after(&page[i], i, &hole, waived,
				   BASE + i * PAGE < start || BASE + i * PAGE >= end);
		for (; BASE + i * PAGE < to; i++)
			page_after(&page[i], i, &m, waived,
				   BASE + i * PAGE < start || BASE + i * PAGE >= end);
	}
}

static void begin_call(void)
{
	call++;
	watch_call(&watcher);
	if (!below(12))
		bed.port.fail_after = (long)below(3);
}

static void end_call(void)
{
	bed.port.fail_after = -1;
}

static void unmap_returned(const struct flight *f)
{
	bool waived = f->flags & S2_NO_CLEAN;

	if (!(f->flags & S2_DROP_EDGES))
		require(f->op.start.ipa == f->ipa && f->op.end.ipa == f->ipa + f->size,
			"a block at the edge was dropped, unasked");
	for (uint64_t i = 0; i < PAGES; i++) {
		const struct page *p = &page[i];

		if (BASE + i * PAGE < f->ipa || BASE + i * PAGE >= f->ipa + f->size)
			continue;
		if (p->taken >= f->began)
			continue;
		require(waived || !(p->dirty[0] || p->dirty[1]),
			"unmap returned, page %" PRIu64 " is not clean", i);
		require(p->state == S2_EMPTY,
			"unmap returned, page %" PRIu64 " is still there", i);
	}
}

/* One step; true when the operation is finished. */
static bool step(struct flight *f)
{
	struct s2_op *op = &f->op;
	int ret;

	begin_call();
	switch (f->kind) {
	case UNMAP:
		ret = s2_unmap(&bed.s2, s2_ipa(f->ipa), f->size, f->flags, op);
		break;
	case MAP:
		ret = s2_map(&bed.s2, s2_ipa(f->ipa), s2_pa(f->pa), f->size, f->attr,
			     f->flags, op);
		break;
	case SPLIT:
		ret = s2_split(&bed.s2, s2_ipa(f->ipa), f->size, 0, op);
		break;
	case WRPROTECT:
		ret = s2_wrprotect(&bed.s2, s2_ipa(f->ipa), f->size, 0, op);
		break;
	default:
		ret = s2_clean(&bed.s2, s2_ipa(f->ipa), f->size, 0, op);
		break;
	}
	end_call();
	observe(op->start.ipa, op->end.ipa, f->flags & S2_NO_CLEAN);
	require(!op->max_entries || op->visited <= op->max_entries, "too many visits");
	require(!op->max_bytes || op->cleaned <= op->max_bytes, "too many bytes");
	require(ret == 0 || ret == S2_MORE || ret == S2_E_NOMEM || ret == S2_E_BLOCK ||
			ret == S2_E_EXIST || ret == S2_E_BUSY,
		"%s", s2_strerror(ret));
	require(ret == 0 || ret == S2_MORE || ret == S2_E_NOMEM || f->kind == MAP ||
			f->kind == UNMAP,
		"%s", s2_strerror(ret));
	require(call - f->began < 100000, "no end of steps");
	if (ret == S2_MORE)
		return false;
	if (!ret && f->kind == UNMAP)
		unmap_returned(f);
	failed_late |= f->kind == MAP && ret < 0 && call > f->began;
	f->kind = NONE;
	return true;
}

static void pick_range(struct flight *f)
{
	uint64_t n, first, unit = 1;

	switch (below(8)) {
	case 0: /* the table above the world's tables, and more */
		f->ipa = 0;
		f->size = (below(2) ? 64 : 256) * GIB;
		return;
	case 1:
		n = 1;
		break;
	case 2:
		n = 1 + below(100);
		break;
	case 3:
	case 4:
		unit = TABLE;
		n = TABLE * (1 + below(3));
		break;
	default:
		n = 1 + below(PAGES);
		break;
	}
	first = below(PAGES - n + 1) / unit * unit;
	f->ipa = BASE + first * PAGE;
	f->size = n * PAGE;
}

static void pick_budget(struct s2_op *op)
{
	*op = (struct s2_op){ 0 };
	if (below(4))
		op->max_entries = S2_BUDGET_ENTRIES_MIN + (uint32_t)below(40);
	if (below(4))
		op->max_bytes = S2_BUDGET_BYTES_MIN + below(below(4) ? 256 : 4096) * PAGE;
}

static void pick_map(struct flight *f)
{
	static const s2_attr_t type[] = { S2_MEM_WB, S2_MEM_WB, S2_MEM_NC, S2_MEM_NC,
					  S2_MEM_DEV_nGnRE };

	f->attr = RW | type[below(5)];
	if (f->size > PAGES * PAGE) {
		f->ipa = BASE;
		f->size = PAGES * PAGE;
	}
	if (f->ipa < BASE) {
		f->ipa = BASE;
		f->size = 64 * MIB;
	}
	f->pa = f->ipa + FRAME_BASE + (below(FRAME_SETS) << FRAME_SET_SHIFT);
	f->flags = (below(3) ? S2_MAP_REPLACE : 0) | (below(2) ? S2_MAP_PAGES : 0);
	if (f->flags & S2_MAP_REPLACE)
		f->flags |= below(2) ? S2_DROP_EDGES : below(2) ? S2_SPLIT_EDGES : 0;
}

static void begin(struct flight *f, bool whole)
{
	*f = (struct flight){ .began = call + 1 };
	pick_range(f);
	pick_budget(&f->op);
	if (whole)
		f->op.max_entries = 0, f->op.max_bytes = 0;
	if (!below(3))
		f->op.limbo = &f->limbo;
	switch (below(10)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		f->kind = UNMAP;
		f->flags = below(2) ? S2_DROP_EDGES : below(2) ? S2_SPLIT_EDGES : 0;
		break;
	case 5:
	case 6:
	case 7:
		f->kind = MAP;
		pick_map(f);
		break;
	case 8:
		f->kind = SPLIT;
		break;
	default:
		f->kind = below(2) ? WRPROTECT : CLEAN;
		break;
	}
	if (!below(16) && (f->kind == UNMAP || f->kind == MAP))
		f->flags |= S2_NO_CLEAN;
}

static void release(struct flight *f)
{
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN };

	while (s2_release(&bed.s2, &f->limbo, &op) == S2_MORE)
		require(op.visited <= op.max_entries, "release visits too many");
}

/* A slot's operation begins, goes on, or is over and its limbo is emptied. */
static void turn(struct flight *f)
{
	bool done = false;

	if (f->kind == NONE)
		begin(f, false);
	/* Several steps in a row, so that one may be far ahead of another. */
	for (uint64_t n = 1 + below(3); n && !done; n--)
		done = step(f);
	if (done)
		release(f);
}

static void run_world(uint32_t features)
{
	struct flight once;

	struct s2_config cfg = { .ipa_bits = (uint8_t)(39 + below(6)),
				 .pa_bits = 48,
				 .granule_shift = 14,
				 .features = features };
	bool parked = false;

	bed_open_as(&bed, cfg, 256);
	watcher = (struct watch){ .also = on_event, .parked = is_parked };
	watch_start(&bed, &watcher);
	memset(page, 0, sizeof(page));
	failed_late = false;
	for (unsigned n = 0; n < 60; n++) {
		if (below(5)) {
			turn(&flight[below(OPS)]);
			for (unsigned i = 0; i < PAGES; i += TABLE)
				parked |= page[i].state == S2_BUSY;
			continue;
		}
		begin(&once, true);
		require(step(&once), "more to do without a budget");
		release(&once);
	}
	for (unsigned left = OPS; left;) {
		struct flight *f = &flight[below(OPS)];

		if (f->kind != NONE)
			turn(f);
		left = 0;
		for (unsigned i = 0; i < OPS; i++)
			left += flight[i].kind != NONE;
	}
	parked_worlds += parked;
	/*
	 * Such a map may leave a table that it has emptied, for the next call that
	 * comes by: only the root is left when everything is unmapped.
	 */
	call++;
	watch_call(&watcher);
	if (failed_late) {
		bed_unmap(&bed, 0, UINT64_C(1) << bed.s2.ipa_bits, 0);
		assert_int_equal(bed_tables(&bed), 0);
	}
	bed_check(&bed);
	bed_close(&bed);
}

static void run_feature_set(uint32_t features)
{
	rnd_state = seed + features;
	for (world = 0; world < worlds; world++) {
		memset(flight, 0, sizeof(flight));
		run_world(features);
	}
	/* It is about these. */
	assert_true(worlds < 20 || parked_worlds);
	parked_worlds = 0;
}

static void operations_that_meet(void **state)
{
	run_feature_set(feature_set(*(unsigned *)*state));
}

int main(int argc, char **argv)
{
	static unsigned set[FEATURE_SETS] = { 0, 1, 2, 3 };
	const struct CMUnitTest tests[] = {
		{ "operations_that_meet", operations_that_meet, NULL, NULL, &set[0] },
		{ "operations_that_meet_fwb", operations_that_meet, NULL, NULL, &set[1] },
		{ "operations_that_meet_tlbirange", operations_that_meet, NULL, NULL,
		  &set[2] },
		{ "operations_that_meet_fwb_tlbirange", operations_that_meet, NULL, NULL,
		  &set[3] },
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		worlds = strtoull(argv[2], NULL, 0);
	print_message("# seed %" PRIu64 ", %" PRIu64 " worlds\n", seed, worlds);
	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
