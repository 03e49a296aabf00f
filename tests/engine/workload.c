/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random operation sequences against the flat reference. Every operation, with and
 * without budgets, with allocations that fail. After each: the result is the
 * reference's. From time to time: the tables hold what the reference does and
 * nothing else, the metadata is right, nothing leaks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "rnd.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* A configuration and the part of its IPA space that is used. */
struct world {
	struct s2 s2;
	struct flat flat;
	bool blocks1g;
	uint64_t operation;
	uint64_t *before; /* dirty pages before an operation with a log */
	const char *wrong;
};

static uint64_t page_size(const struct world *w)
{
	return UINT64_C(1) << w->s2.granule_shift;
}

/* Pages of a last-level table, so of the smallest block. */
static uint64_t block_pages(const struct world *w)
{
	return page_size(w) / 8;
}

static bool wrong(struct world *w, const char *what)
{
	if (!w->wrong)
		w->wrong = what;
	return false;
}

static bool right(struct world *w)
{
	uint64_t tables;
	const char *what = flat_compare(&w->flat, &w->s2);

	if (!what)
		what = meta_check(&w->s2, &tables);
	if (!what && tables != rig_tables(&w->s2))
		what = "a table page is lost";
	return !what || wrong(w, what);
}

/* A budget half of the time; progress must be made and the bounds kept. */
static void op_init(struct s2_op *op)
{
	memset(op, 0, sizeof(*op));
	if (below(2))
		op->max_entries = 512 + (uint32_t)below(600);
	if (below(2))
		op->max_bytes = 2 * MIB + below(512) * 4096;
}

static bool again(struct world *w, int ret, const struct s2_op *op, unsigned *steps)
{
	if (ret == 0 || ret == S2_MORE) {
		if (op->max_entries && op->visited > op->max_entries)
			return wrong(w, "a step visits more than its budget");
		if (op->max_bytes && op->cleaned > op->max_bytes)
			return wrong(w, "a step cleans more than its budget");
	}
	if (ret == S2_MORE && ++*steps > 3000000)
		return wrong(w, "no end of steps");
	if (ret == S2_MORE)
		rig_call();
	return ret == S2_MORE;
}

#define RUN(w, ret, op, call)                        \
	do {                                         \
		unsigned steps_ = 0;                 \
		rig_call();                          \
		do                                   \
			ret = (call);                \
		while (again(w, ret, &op, &steps_)); \
	} while (0)

static void pick_range(const struct world *w, uint64_t *ipa, uint64_t *size)
{
	uint64_t pages = w->flat.pages, unit = 1, first, n;

	switch (below(w->blocks1g ? 8 : 6)) {
	case 0:
	case 1:
		n = 1;
		break;
	case 2:
		n = 1 + below(40);
		break;
	case 3:
	case 4:
		unit = block_pages(w);
		n = unit * (1 + below(4));
		break;
	case 5:
		n = 1 + below(pages);
		break;
	default:
		unit = n = block_pages(w) * block_pages(w);
		break;
	}
	if (n > pages)
		n = pages;
	first = below(pages - n + 1) / unit * unit;
	*ipa = w->flat.base + first * page_size(w);
	*size = n * page_size(w);
}

static s2_attr_t pick_attr(const struct world *w)
{
	static const s2_attr_t mem[] = { S2_MEM_WB, S2_MEM_WB,	      S2_MEM_WB,
					 S2_MEM_NC, S2_MEM_DEV_nGnRE, S2_MEM_DEV_GRE,
					 S2_MEM_S1 };
	s2_attr_t a = mem[below(w->s2.features & S2_FEAT_FWB ? 7 : 6)];

	a |= (s2_attr_t)(1 + below(15));
	/* Execute at one level alone only where there is a way to say so. */
	if (a & S2_X && !(w->s2.features & S2_FEAT_XNX))
		a |= S2_X;
	if (w->s2.features & S2_FEAT_DBM && below(2))
		a |= S2_DBM | S2_R;
	if (w->s2.wide != S2_WIDE_LPA2 && !below(4))
		a |= below(2) ? S2_SH_OUTER : S2_SH_NONE;
	if (a & S2_MEM_DEV_nGnRnE)
		a = (a & ~S2_X) | S2_R;
	return a | (below(4) ? 0 : S2_SW(below(16)));
}

static const struct flat_page *page_at(const struct world *w, uint64_t ipa)
{
	return &w->flat.page[(ipa - w->flat.base) / page_size(w)];
}

/* ---- dirty state: a log for the whole of the reference ---- */

static uint64_t *log_new(const struct world *w)
{
	uint64_t *bits = calloc(w->flat.pages / 64 + 1, sizeof(*bits));

	if (!bits)
		abort();
	return bits;
}

/* Now and then an operation is asked to tell what dirty state it makes an end of. */
static void log_begin(struct world *w, struct s2_op *op, struct s2_dirty_log *log)
{
	if (!(w->s2.features & S2_FEAT_DBM) || below(2))
		return;
	*log = (struct s2_dirty_log){ s2_ipa(w->flat.base), w->flat.pages * page_size(w),
				      log_new(w), false };
	op->dirty = log;
	w->before = log_new(w);
	flat_dirty(&w->flat, w->flat.base, w->flat.pages * page_size(w), false,
		   w->before);
}

/* What is not dirty any more is in the log, and nothing that was not. */
static void log_end(struct world *w, struct s2_op *op)
{
	uint64_t *after;

	if (!op->dirty)
		return;
	after = log_new(w);
	flat_dirty(&w->flat, w->flat.base, w->flat.pages * page_size(w), false, after);
	for (uint64_t i = 0; i < w->flat.pages / 64 + 1; i++)
		if (w->before[i] & ~after[i] & ~op->dirty->bits[i] ||
		    op->dirty->bits[i] & ~w->before[i])
			wrong(w, "dirty state is lost, or invented");
	free(after);
	free(w->before);
	free(op->dirty->bits);
	op->dirty = NULL;
}

static void do_dirty(struct world *w, uint64_t ipa, uint64_t size, struct s2_op *op)
{
	uint64_t *bits = log_new(w), *want = log_new(w);
	struct s2_dirty_log log = { s2_ipa(w->flat.base), w->flat.pages * page_size(w),
				    bits, false };
	uint32_t flags = below(2) ? S2_CLEAR : 0;
	int ret;

	RUN(w, ret, *op, s2_dirty(&w->s2, s2_ipa(ipa), size, flags, &log, op));
	flat_dirty(&w->flat, ipa, size, flags, want);
	if (ret || memcmp(bits, want, w->flat.pages / 8))
		wrong(w, "dirty: not the result of the reference");
	free(bits);
	free(want);
}

/* ---- contiguous runs: what changes part of one in place changes it whole ---- */

static uint64_t run_of(const struct world *w, const struct s2_mapping *m)
{
	unsigned n = w->s2.granule_shift == 12			? 16 :
		     w->s2.granule_shift == 14 && m->level == 3 ? 128 :
								  32;

	return m->state == S2_LEAF && m->contiguous ? n * m->size : m->size;
}

static void widen(const struct world *w, uint64_t *ipa, uint64_t *size)
{
	uint64_t end = *ipa + *size, run;
	struct s2_mapping m;

	s2_lookup(&w->s2, s2_ipa(*ipa), &m);
	run = run_of(w, &m);
	if (m.contiguous)
		*ipa &= ~(run - 1);
	s2_lookup(&w->s2, s2_ipa(end - 1), &m);
	run = run_of(w, &m);
	if (m.contiguous)
		end = ((end - 1) | (run - 1)) + 1;
	*size = end - *ipa;
}

/* ---- annotations ---- */

/* An unmap's range without the annotations that are partly outside: they stay. */
static void whole_notes(const struct world *w, uint64_t *ipa, uint64_t *end)
{
	struct s2_mapping m;

	s2_lookup(&w->s2, s2_ipa(*ipa), &m);
	if (m.state == S2_NOTE && m.ipa.ipa < *ipa)
		*ipa = m.ipa.ipa + m.size;
	s2_lookup(&w->s2, s2_ipa(*end - 1), &m);
	if (m.state == S2_NOTE && m.ipa.ipa + m.size > *end)
		*end = m.ipa.ipa;
}

static void do_annotate(struct world *w, uint64_t ipa, uint64_t size, struct s2_op *op)
{
	uint64_t note = below(3) ? below(4) : (UINT64_C(1) << S2_NOTE_BITS) - 1;
	int ret;

	if (!below(4)) {
		rig_fail_after((long)below(3));
		op->max_entries = 0;
	}
	RUN(w, ret, *op, s2_annotate(&w->s2, s2_ipa(ipa), size, note, 0, op));
	rig_fail_after(-1);
	if (ret == S2_E_NOMEM) {
		right(w);
		return;
	}
	if (ret == S2_E_EXIST && op->done.ipa > ipa)
		flat_annotate(&w->flat, ipa, op->done.ipa - ipa, note);
	if (ret != flat_annotate(&w->flat, ipa, size, note))
		wrong(w, "annotate: not the result of the reference");
}

static void do_map(struct world *w, uint64_t ipa, uint64_t size, struct s2_op *op)
{
	/* Now and then one or two pages off, so that no block fits. */
	uint64_t off = below(4) ? 0 : below(3);
	/* A frame of its own for every page of IPA, for every offset, four times. */
	uint64_t span = w->blocks1g ? 4 * GIB : 32 * block_pages(w) * page_size(w);
	uint64_t pa =
		(ipa & (span - 1)) + off * page_size(w) + (4 * off + below(4)) * 2 * span;
	s2_attr_t attr = pick_attr(w);
	uint32_t flags = below(3) ? 0 : S2_MAP_PAGES;
	int ret;

	if (!(attr & S2_DBM) && below(2))
		flags |= S2_MAP_CONT;

	/* Where addresses have 52 bits, use them. */
	if (w->s2.wide != S2_WIDE_NO && below(2))
		pa += UINT64_C(0xd) << 47;

	if (below(2))
		flags |= S2_MAP_REPLACE | (below(2) ? S2_DROP_EDGES :
					   below(3) ? S2_SPLIT_EDGES :
						      0);
	/* To look through what a block replaces takes a step without a bound. */
	if (op->dirty && flags & S2_MAP_REPLACE)
		op->max_entries = 0;
	if (!below(8)) {
		rig_fail_after((long)below(4));
		/* A failed allocation between two steps keeps the steps done. */
		op->max_entries = 0, op->max_bytes = 0;
	}
	RUN(w, ret, *op, s2_map(&w->s2, s2_ipa(ipa), s2_pa(pa), size, attr, flags, op));
	rig_fail_after(-1);
	if (ret == S2_E_NOMEM) {
		/* The edges may have been split before the map failed. */
		if (flags & S2_SPLIT_EDGES && flat_compare(&w->flat, &w->s2)) {
			flat_unmap(&w->flat, ipa, 0, S2_SPLIT_EDGES);
			flat_unmap(&w->flat, ipa + size, 0, S2_SPLIT_EDGES);
		}
		right(w);
		return;
	}
	/* A block does not go over a table of annotations without being told. */
	if (ret == S2_E_EXIST && flat_noted(&w->flat, ipa, size)) {
		if (op->done.ipa > ipa)
			flat_map(&w->flat, ipa, pa, op->done.ipa - ipa, attr, flags);
		right(w);
		return;
	}
	/* With a budget the steps before the refused one are done. */
	if (ret < 0 && op->max_entries) {
		if (op->done.ipa > ipa &&
		    flat_map(&w->flat, ipa, pa, op->done.ipa - ipa, attr, flags))
			wrong(w, "steps before the refused one");
		right(w);
		return;
	}
	if (ret != flat_map(&w->flat, ipa, pa, size, attr, flags))
		wrong(w, "map: not the result of the reference");
}

static void do_unmap(struct world *w, uint64_t ipa, uint64_t size, struct s2_op *op)
{
	struct rig_cost before = rig_cost(), after;
	uint32_t flags = below(2) ? S2_DROP_EDGES : below(3) ? S2_SPLIT_EDGES : 0;
	uint64_t frame = 0, notes = ipa, notes_end = ipa + size;
	uint64_t whole = ipa, whole_size = size, runs;
	bool was = false, noted = flat_noted(&w->flat, ipa, size);
	int ret;

	if (!below(8))
		flags |= S2_NO_CLEAN;
	if (below(2))
		flags |= S2_KEEP_NOTES;
	whole_notes(w, &notes, &notes_end);
	widen(w, &whole, &whole_size);
	runs = whole != ipa || whole_size != size;
	for (uint64_t p = ipa; p < ipa + size; p += page_size(w))
		if (page_at(w, p)->level) {
			was = true;
			frame = page_at(w, p)->pa;
		}
	if (!below(8))
		rig_fail_after((long)below(3));
	RUN(w, ret, *op, s2_unmap(&w->s2, s2_ipa(ipa), size, flags, op));
	rig_fail_after(-1);
	if (ret == S2_E_NOMEM) {
		right(w);
		return;
	}
	if (ret != flat_unmap(&w->flat, ipa, size, flags))
		wrong(w, "unmap: not the result of the reference");
	if (ret)
		return;
	if (!(flags & S2_KEEP_NOTES) && notes < notes_end)
		flat_annotate(&w->flat, notes, notes_end - notes, 0);
	rig_unmapped(&w->s2, op->start.ipa, op->end.ipa - op->start.ipa, flags);
	if (was)
		rig_frame_free(frame);
	after = rig_cost();
	if (flags & S2_SPLIT_EDGES || noted)
		return;
	if (!was && (after.tlbi != before.tlbi || after.dsb != before.dsb))
		wrong(w, "an empty unmap costs a TLBI or a DSB");
	/* To take the hint from runs at the edges is another invalidation. */
	if (was && !(op->max_entries || op->max_bytes) &&
	    (after.dsb - before.dsb > 5 + 5 * runs ||
	     after.tlbi - before.tlbi > (S2_PLAN_OPS + 2) * (1 + runs)))
		wrong(w, "an unmap costs more than the constant");
}

static void one_operation(struct world *w)
{
	uint64_t ipa, size;
	s2_attr_t attr;
	uint64_t whole, whole_size;
	struct s2_dirty_log log;
	struct s2_op op;
	bool young = false, clear;
	int ret;

	pick_range(w, &ipa, &size);
	op_init(&op);
	switch (below(15)) {
	case 0:
	case 1:
	case 2:
	case 3:
		log_begin(w, &op, &log);
		do_map(w, ipa, size, &op);
		log_end(w, &op);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		log_begin(w, &op, &log);
		do_unmap(w, ipa, size, &op);
		log_end(w, &op);
		break;
	case 8:
		log_begin(w, &op, &log);
		whole = ipa, whole_size = size;
		widen(w, &whole, &whole_size);
		RUN(w, ret, op, s2_wrprotect(&w->s2, s2_ipa(ipa), size, 0, &op));
		flat_wrprotect(&w->flat, whole, whole_size);
		rig_wrprotected(&w->s2, ipa, size);
		log_end(w, &op);
		break;
	case 9:
		clear = below(2);
		whole = ipa, whole_size = size;
		widen(w, &whole, &whole_size);
		RUN(w, ret, op,
		    s2_age(&w->s2, s2_ipa(ipa), size, clear ? S2_CLEAR : 0, &young, &op));
		if (young != flat_age(&w->flat, whole, whole_size, clear))
			wrong(w, "age: not the result of the reference");
		whole = ipa, whole_size = page_size(w);
		widen(w, &whole, &whole_size);
		if (s2_mkyoung(&w->s2, s2_ipa(ipa), 0) !=
		    flat_mkyoung(&w->flat, whole, whole_size))
			wrong(w, "mkyoung: not the result of the reference");
		break;
	case 10:
		attr = pick_attr(w) & (S2_R | S2_W | S2_X);
		rig_call();
		whole = ipa, whole_size = page_size(w);
		widen(w, &whole, &whole_size);
		if (attr && s2_relax_perms(&w->s2, s2_ipa(ipa), attr, 0) !=
				    flat_relax(&w->flat, whole, whole_size, attr))
			wrong(w, "relax_perms: not the result of the reference");
		RUN(w, ret, op, s2_clean(&w->s2, s2_ipa(ipa), size, 0, &op));
		break;
	case 11:
		if (!below(4)) {
			rig_fail_after((long)below(4));
			op.max_entries = 0;
		}
		RUN(w, ret, op, s2_split(&w->s2, s2_ipa(ipa), size, 0, &op));
		rig_fail_after(-1);
		if (ret == S2_E_NOMEM)
			right(w);
		else
			flat_split(&w->flat, ipa, size);
		break;
	case 12:
	case 13:
		do_annotate(w, ipa, size, &op);
		break;
	case 14:
		if (w->s2.features & S2_FEAT_DBM)
			do_dirty(w, ipa, size, &op);
		break;
	}
}

static struct s2_config pick_config(bool blocks1g)
{
	static const uint8_t granules[] = { 12, 12, 14, 16 };
	struct s2_config cfg = {
		.pa_bits = 48,
		.granule_shift = blocks1g ? 12 : granules[below(4)],
		.features = (uint32_t)below(8),
		.errata = below(4) ? 0 : S2_ERRATUM_REPEAT_TLBI,
	};

	if (below(2))
		cfg.features |= S2_FEAT_HAFDBS | (below(2) ? S2_FEAT_DBM : 0);
	if (below(2))
		cfg.features |= S2_FEAT_XNX;
	if (below(2)) {
		cfg.pa_bits = 52;
		if (cfg.granule_shift != 16)
			cfg.features |= S2_FEAT_LPA2;
	}
	cfg.ipa_bits =
		(uint8_t)(blocks1g ? 36 + below(13) : 32 + below(cfg.pa_bits - 31u));
	return cfg;
}

/* Around a boundary of tables at every level that there is. */
static uint64_t pick_base(const struct s2_config *cfg, uint64_t size)
{
	unsigned bits = cfg->granule_shift - 3u;
	unsigned boundary = cfg->granule_shift + bits * (2 + (unsigned)below(2));

	while (boundary >= cfg->ipa_bits)
		boundary -= bits;
	if (boundary < cfg->granule_shift + 2 * bits)
		return 0;
	return (UINT64_C(1) << boundary) -
	       (size / 3 & ~((UINT64_C(1) << cfg->granule_shift) - 1));
}

static uint64_t run_world(struct world *w, uint64_t operations)
{
	struct s2_config cfg = pick_config(w->blocks1g);
	uint64_t block = UINT64_C(1) << (2 * cfg.granule_shift - 3);
	uint64_t size = w->blocks1g ? 3 * GIB : below(4) ? 3 * block : 10 * block;
	uint64_t base;
	struct s2_op op;
	int ret;

	if (cfg.granule_shift != 12 && !w->blocks1g)
		size = 3 * block;
	base = w->blocks1g ? 0 : pick_base(&cfg, size);
	rig_open(&cfg, rnd());
	ret = s2_init(&w->s2, &cfg);
	if (ret) {
		wrong(w, s2_strerror(ret));
		return 1;
	}
	rig_ready(&w->s2);
	flat_init(&w->flat, &w->s2, base, size);
	while (w->operation < operations && !w->wrong) {
		one_operation(w);
		w->operation++;
		if (!w->wrong)
			wrong(w, rig_wrong());
		if (!w->wrong && !below(w->blocks1g ? 50 : 20))
			right(w);
	}
	if (!w->wrong && right(w)) {
		uint32_t flags = below(2) ? S2_NO_CLEAN : 0;

		op_init(&op);
		rig_destroying(&w->s2);
		RUN(w, ret, op, s2_destroy(&w->s2, flags, &op));
		if (ret)
			wrong(w, "s2_destroy fails");
		else if (rig_wrong() || rig_tables(NULL))
			wrong(w,
			      rig_wrong() ? rig_wrong() : "destroy leaves a table page");
	}
	flat_free(&w->flat);
	rig_close();
	return w->operation;
}

int workload(uint64_t seed, uint64_t operations)
{
	uint64_t done = 0;

	rnd_state = seed;
	printf("seed %" PRIu64 ", %" PRIu64 " operations\n", seed, operations);
	while (done < operations) {
		struct world w = { .blocks1g = !below(20) };
		uint64_t left = operations - done, most = w.blocks1g ? 60 : 1000;

		done += run_world(&w, left < most ? left : most);
		if (w.wrong) {
			printf("operation %" PRIu64 ": %s\n", done, w.wrong);
			return 1;
		}
	}
	return 0;
}
