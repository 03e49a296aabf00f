/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parked leaves: a block larger than op->max_bytes is cleaned in steps, and is the one
 * thing that is left broken between two calls. It has been invalidated. Whoever meets it
 * (unmap, a replacing map, destroy, in a batch too) cleans it on, whatever he waives
 * himself, and releases it; every byte of it is cleaned once. A referee (watch.h) looks
 * at every event.
 */
#include "watch.h"
#include "desc.h"
#include "shapes.h"

#define PA (UINT64_C(1) << 36)

static struct bed bed;
static struct watch watcher;

/* Which pages of the block's memory have been cleaned, a byte each. */
static uint8_t *cleaned;
static uint64_t frame, size, elsewhere;
static unsigned shift; /* of the granule */
static bool released;  /* an entry became empty or valid while the clean was not done */
static uint64_t *slot;

static uint64_t left_to_clean(void)
{
	uint64_t pages = size >> shift, n = 0;

	for (uint64_t i = 0; i < pages; i++)
		n += !cleaned[i];
	return n;
}

static void on_event(enum count_event what, uint64_t at, uint64_t value)
{
	switch (what) {
	case COUNT_CLEAN:
		if (at < frame || at >= frame + size) {
			elsewhere += value;
			return;
		}
		assert_true(at + value <= frame + size);
		assert_int_equal((at | value) & ((1u << shift) - 1), 0);
		for (uint64_t i = (at - frame) >> shift; value; i++, value -= 1u << shift)
			assert_int_equal(cleaned[i]++, 0);
		return;
	case COUNT_STORE:
	case COUNT_STORE_RELEASE:
	case COUNT_CAS:
		if (slot && at == s2_port_table_pa(&bed.port, slot) &&
		    !desc_busy(value) && left_to_clean())
			released = true;
		return;
	default:
		return;
	}
}

static bool is_parked(uint64_t pa)
{
	return pa >= frame && pa < frame + size;
}

static void check(unsigned parked)
{
	struct meta_seen seen;
	const char *what = meta_look(&bed.s2, &seen);

	if (what)
		fail_msg("%s", what);
	assert_int_equal(seen.parked, parked);
	assert_int_equal(seen.empty, 0);
	assert_int_equal(seen.tables, bed_tables(&bed));
}

/*
 * A block at @level that the first step of *op has parked, the second of three: the
 * others stay in its table, and need cleaning too, but for the caller's waiver.
 */
static void park(const struct s2_config *cfg, int level, struct s2_op *op, uint64_t *ipa)
{
	struct cost c;

	bed_open_as(&bed, *cfg, 64);
	shift = cfg->granule_shift;
	size = level_size(&bed.s2, level);
	*ipa = 4 * size;
	frame = PA & ~(size - 1) ? (PA & ~(size - 1)) : size;
	cleaned = calloc(size >> shift, 1);
	assert_non_null(cleaned);
	released = false;
	slot = NULL;
	bed_map_leaves(&bed, *ipa - size, frame - size, 3 * size, level, RW);
	watcher = (struct watch){ .also = on_event };
	watch_start(&bed, &watcher);
	elsewhere = 0;
	slot = bed_entry(&bed, *ipa, level);
	*op = (struct s2_op){ .max_bytes = PARKED };
	bed_cost(&bed);
	watch_call(&watcher);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(*ipa), size, 0, op), S2_MORE);
	watch_return(&watcher);
	c = bed_cost(&bed);
	assert_true(watcher.invalidated);
	assert_int_equal(c.agents, 1);
	assert_int_equal(c.clean_bytes, PARKED);
	assert_int_equal(op->cleaned, PARKED);
	assert_int_equal(op->changed, 1);
	assert_true(op->done.ipa == *ipa);
	assert_true(desc_parked(*slot));
	assert_int_equal(bed_lookup(&bed, *ipa + size - 1).state, S2_BUSY);
	check(1);
	watcher.parked = is_parked;
}

/* All of it is clean, and the op that parked it finds nothing to do. */
static void end(struct s2_op *op, uint64_t ipa)
{
	assert_int_equal(left_to_clean(), 0);
	assert_false(released);
	slot = NULL;
	if (op) {
		watch_call(&watcher);
		bed_cost(&bed);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(ipa), size, 0, op), 0);
		watch_return(&watcher);
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		assert_true(op->done.ipa == ipa + size);
	}
	if (bed.s2.root)
		check(0);
	watcher.also = NULL;
	watch_call(&watcher);
	bed_close(&bed);
	free(cleaned);
}

/* Every shape that has a block larger than the least budget, at each such level. */
#define FOR_EACH_BLOCK(level, cfg)                                                      \
	for (unsigned i_ = 0; i_ < SHAPES; i_++)                                        \
		for (int level = first_level(&shapes[i_]); level < LAST_LEVEL; level++) \
			for (const struct s2_config *cfg = fitting(&shapes[i_], level); \
			     cfg; cfg = NULL)

static int first_level(const struct s2_config *cfg)
{
	struct s2 s2 = { .granule_shift = cfg->granule_shift };

	if (cfg->features & S2_FEAT_LPA2)
		s2.wide = S2_WIDE_LPA2;
	else if (cfg->granule_shift == 16 && cfg->pa_bits == 52)
		s2.wide = S2_WIDE_LPA;
	return first_block_level(&s2);
}

/* NULL: the block is no larger than a step, or the space has no room for eight. */
static const struct s2_config *fitting(const struct s2_config *cfg, int level)
{
	struct s2 s2 = { .granule_shift = cfg->granule_shift };
	unsigned bits = level_shift(&s2, level);

	/*
	 * Sixteen tables of the next level reach the whole space: the walk starts below.
	 * Blocks of terabytes take longer than they tell.
	 */
	return bits > 21 && bits <= 32 && cfg->ipa_bits > bits + 4 ? cfg : NULL;
}

/* ---- the op itself goes on ---------------- */

/* Step by step with any budget: to the byte, with one DSB and no TLBI. */
static void the_op_goes_on(void **state)
{
	static const uint64_t budgets[] = { PARKED, PARKED + 100, 3 * PARKED,
					    5 * PARKED - 1, 0 };

	(void)state;
	FOR_EACH_BLOCK(level, cfg)
	{
		struct s2_op op;
		unsigned steps = 0;
		uint64_t ipa;
		int ret;

		park(cfg, level, &op, &ipa);
		do {
			struct cost c;

			op.max_bytes = budgets[steps++ % 5];
			watch_call(&watcher);
			ret = s2_unmap(&bed.s2, s2_ipa(ipa), size, 0, &op);
			watch_return(&watcher);
			c = bed_cost(&bed);
			assert_int_equal(c.tlbi | c.agents, 0);
			assert_int_equal(c.dsb, 1);
			assert_int_equal(c.clean_bytes, op.cleaned);
			assert_true(!op.max_bytes || op.cleaned <= op.max_bytes);
			assert_true(ret == 0 ||
				    op.cleaned ==
					    (op.max_bytes & ~(page_size(&bed.s2) - 1)));
			check(ret == S2_MORE);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_int_equal(elsewhere, 0);
		end(NULL, ipa);
	}
}

/* ---- somebody else meets it ---------------- */

/*
 * An unmap of a page of it, with any flags and with none: to the end at once, without an
 * invalidation, for that has been.
 */
static void an_unmap_of_a_part_finishes_all(void **state)
{
	static const uint32_t flags[] = { 0, S2_DROP_EDGES, S2_SPLIT_EDGES, S2_NO_CLEAN,
					  S2_NO_CLEAN | S2_KEEP_NOTES };

	(void)state;
	for (unsigned f = 0; f < 5; f++)
		FOR_EACH_BLOCK(level, cfg)
		{
			struct s2_op op;
			struct cost c;
			uint64_t ipa, page;

			park(cfg, level, &op, &ipa);
			page = page_size(&bed.s2);
			watch_call(&watcher);
			bed_unmap(&bed, ipa + 3 * page, page, flags[f]);
			watch_return(&watcher);
			c = bed_cost(&bed);
			assert_int_equal(c.tlbi | c.agents, 0);
			assert_int_equal(c.dsb, 1);
			assert_int_equal(c.clean_bytes, size - PARKED);
			assert_int_equal(bed_lookup(&bed, ipa).state, S2_EMPTY);
			assert_int_equal(bed_lookup(&bed, ipa - 1).state, S2_LEAF);
			assert_int_equal(bed_lookup(&bed, ipa + size).state, S2_LEAF);
			end(&op, ipa);
		}
}

/* Three operations in steps, of parts that overlap, in turns. */
static void several_go_on_in_turns(void **state)
{
	(void)state;
	FOR_EACH_BLOCK(level, cfg)
	{
		struct s2_op op[3];
		uint64_t ipa, page;
		int ret[3] = { S2_MORE, S2_MORE, S2_MORE };

		park(cfg, level, &op[0], &ipa);
		page = page_size(&bed.s2);
		op[1] = op[2] = (struct s2_op){ .max_bytes = PARKED };
		for (unsigned n = 1; ret[0] || ret[1] || ret[2]; n++) {
			unsigned i = n % 3;

			if (!ret[i])
				continue;
			watch_call(&watcher);
			if (i == 0)
				ret[i] = s2_unmap(&bed.s2, s2_ipa(ipa), size, 0, &op[0]);
			else if (i == 1)
				ret[i] = s2_unmap(&bed.s2, s2_ipa(ipa + page), page,
						  S2_NO_CLEAN, &op[1]);
			else
				ret[i] = s2_unmap(&bed.s2, s2_ipa(ipa + size - page),
						  page, S2_DROP_EDGES, &op[2]);
			watch_return(&watcher);
			assert_true(ret[i] == 0 || ret[i] == S2_MORE);
			assert_true(op[i].cleaned <= PARKED);
			assert_int_equal(bed_cost(&bed).clean_bytes, op[i].cleaned);
			/* Who says that it is done has left nothing. */
			assert_true(ret[i] == S2_MORE || !left_to_clean());
			assert_int_equal(bed_lookup(&bed, ipa).state,
					 left_to_clean() ? S2_BUSY : S2_EMPTY);
		}
		assert_int_equal(elsewhere, 0);
		end(NULL, ipa);
	}
}

/* The table around it goes: what the caller waives is waived for the rest alone (P14). */
static int unmap_all(struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(0), bed.s2.ipa_end, S2_NO_CLEAN, op);
}

static int destroy_all(struct s2_op *op)
{
	slot = NULL; /* the pages of the tables are given back */
	return s2_destroy(&bed.s2, S2_NO_CLEAN, op);
}

static int batch_all(struct s2_op *op)
{
	struct s2_batch batch;
	int ret;

	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	op->batch = &batch;
	ret = s2_unmap(&bed.s2, s2_ipa(0), bed.s2.ipa_end, S2_NO_CLEAN, op);
	op->batch = NULL;
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	return ret;
}

static void nobody_waives_it_for_another(void **state)
{
	static int (*const call[])(struct s2_op * op) = { unmap_all, destroy_all,
							  batch_all };

	(void)state;
	for (unsigned k = 0; k < 3; k++)
		for (unsigned bounded = 0; bounded < 3; bounded++)
			FOR_EACH_BLOCK(level, cfg)
			{
				struct s2_op op, other = { 0 };
				uint64_t ipa;
				int ret;

				if (bounded && call[k] == batch_all)
					continue;
				if (bounded)
					other.max_bytes = PARKED;
				if (bounded == 2)
					other.max_entries = S2_BUDGET_ENTRIES_MIN;
				park(cfg, level, &op, &ipa);
				do {
					watch_call(&watcher);
					ret = call[k](&other);
					watch_return(&watcher);
					assert_true(!bounded || other.cleaned <= PARKED);
					assert_true(bounded < 2 ||
						    other.visited <=
							    S2_BUDGET_ENTRIES_MIN);
				} while (ret == S2_MORE);
				assert_int_equal(ret, 0);
				assert_int_equal(elsewhere, 0);
				assert_int_equal(bed_tables(&bed), 0);
				end(bed.s2.root ? &op : NULL, ipa);
			}
}

/* ---- a replacing map ---------------- */

/*
 * A page of it, all of it, and more: the old memory is clean before anything new is made,
 * the new memory after the old. In one step, and in many.
 */
static void a_replacing_map_finishes_it(void **state)
{
	(void)state;
	for (unsigned what = 0; what < 3; what++)
		for (unsigned bounded = 0; bounded < 2; bounded++)
			FOR_EACH_BLOCK(level, cfg)
			{
				struct s2_op op, other = { 0 };
				uint64_t ipa, page, at, bytes;
				int ret;

				park(cfg, level, &op, &ipa);
				page = page_size(&bed.s2);
				at = what == 0 ? ipa + 5 * page : ipa;
				bytes = what == 0 ? page : size;
				other.max_bytes = bounded ? PARKED : 0;
				do {
					watch_call(&watcher);
					ret = s2_map(
						&bed.s2, s2_ipa(at),
						s2_pa(2 * frame + (at - ipa)), bytes, RW,
						S2_MAP_REPLACE |
							(what == 2 ? S2_NO_CLEAN : 0),
						&other);
					watch_return(&watcher);
					assert_int_equal(bed_cost(&bed).clean_bytes,
							 other.cleaned);
					assert_true(!bounded || other.cleaned <= PARKED);
				} while (ret == S2_MORE);
				assert_int_equal(ret, 0);
				assert_int_equal(elsewhere, what == 2 ? 0 : bytes);
				for (uint64_t a = ipa; a < ipa + size;
				     a += size / 16 + page) {
					struct s2_mapping m = bed_lookup(&bed, a);
					bool in = a >= at && a < at + bytes;

					assert_int_equal(m.state,
							 in ? S2_LEAF : S2_EMPTY);
					assert_true(!in || m.pa.pa + (a - m.ipa.ipa) ==
								   2 * frame + (a - ipa));
				}
				if (what == 0)
					assert_int_equal(bed_lookup(&bed, at).state,
							 S2_LEAF);
				check(0);
				assert_int_equal(left_to_clean(), 0);
				assert_false(released);
				bed_unmap(&bed, ipa, size, S2_NO_CLEAN);
				end(&op, ipa);
			}
}

/* ---- when a leaf is parked, and when not ---------------- */

/* Not what a step can clean whole, whatever it has cleaned before; nor what is waived. */
static void only_what_is_larger_than_a_step(void **state)
{
	(void)state;
	FOR_EACH_BLOCK(level, cfg)
	{
		for (unsigned i = 0; i < 4; i++) {
			struct s2_op op = { 0 };
			struct meta_seen seen;
			uint64_t page, start;
			int ret;

			bed_open_as(&bed, *cfg, 64);
			page = page_size(&bed.s2);
			size = level_size(&bed.s2, level);
			start = 4 * size - (i & 1 ? 7 * page : 0);
			bed_map(&bed, start, 4 * PA - (4 * size - start),
				6 * size - start, RW, S2_NO_CLEAN);
			bed_map(&bed, 6 * size, 8 * PA, 3 * page, RW, S2_NO_CLEAN);
			watcher = (struct watch){ 0 };
			watch_start(&bed, &watcher);
			op.max_bytes = i & 2 ? size : 2 * size - page;
			do {
				watch_call(&watcher);
				ret = s2_unmap(&bed.s2, s2_ipa(start),
					       6 * size + 3 * page - start, 0, &op);
				watch_return(&watcher);
				assert_null(meta_look(&bed.s2, &seen));
				assert_int_equal(seen.parked, 0);
			} while (ret == S2_MORE);
			assert_int_equal(ret, 0);
			bed_close(&bed);
		}
		{
			struct s2_op op = { .max_bytes = PARKED };

			bed_open_as(&bed, *cfg, 64);
			size = level_size(&bed.s2, level);
			bed_map(&bed, 4 * size, PA, size, RW, S2_NO_CLEAN);
			bed_cost(&bed);
			assert_int_equal(s2_unmap(&bed.s2, s2_ipa(4 * size), size,
						  S2_NO_CLEAN, &op),
					 0);
			assert_int_equal(bed_cost(&bed).clean_bytes, 0);
			bed_close(&bed);
		}
	}
}

/* One at most for each operation: before the next it is released. */
static void never_two_of_one_operation(void **state)
{
	(void)state;
	FOR_EACH_BLOCK(level, cfg)
	{
		struct s2_op op = { .max_bytes = PARKED };
		struct meta_seen seen;
		unsigned before = 0, parked = 0;
		int ret;

		if (cfg->granule_shift == 12)
			continue; /* three GiB in steps: the same with less */
		bed_open_as(&bed, *cfg, 64);
		size = level_size(&bed.s2, level);
		bed_map_leaves(&bed, 4 * size, 4 * size, 3 * size, level, RW);
		bed_cost(&bed);
		do {
			ret = s2_unmap(&bed.s2, s2_ipa(4 * size), 3 * size, 0, &op);
			assert_null(meta_look(&bed.s2, &seen));
			assert_true(seen.parked <= 1);
			parked += seen.parked && !before;
			before = seen.parked;
			/* Below op->done nothing is left. */
			if (op.done.ipa > 4 * size)
				assert_int_equal(bed_lookup(&bed, op.done.ipa - 1).state,
						 S2_EMPTY);
		} while (ret == S2_MORE);
		assert_int_equal(ret, 0);
		assert_true(parked >= 1);
		assert_int_equal(bed_cost(&bed).clean_bytes, 3 * size);
		bed_close(&bed);
	}
}

/* Another op has parked one behind the place where this one is: nobody waits for it. */
static void behind_another_ones_back(void **state)
{
	const struct s2_config cfg = SHAPE(40, 48, 14, 0);
	struct s2_op op = { .max_entries = S2_BUDGET_ENTRIES_MIN }, other;
	const uint64_t block = 32 * MIB;
	int ret;

	(void)state;
	bed_open_as(&bed, cfg, 64);
	bed_map(&bed, 4 * block, 4 * GIB, 2 * block, RW, S2_MAP_PAGES | S2_NO_CLEAN);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(4 * block), 2 * block, 0, &op);
	while (ret == S2_MORE && op.done.ipa < 5 * block);
	assert_int_equal(ret, S2_MORE);
	bed_map(&bed, 4 * block, 8 * GIB, block, RW, S2_NO_CLEAN);
	other = (struct s2_op){ .max_bytes = PARKED };
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(4 * block), block, 0, &other), S2_MORE);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(4 * block), 2 * block, 0, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_lookup(&bed, 4 * block).state, S2_BUSY);
	do
		ret = s2_unmap(&bed.s2, s2_ipa(4 * block), block, 0, &other);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, 3 * block);
	assert_int_equal(bed_tables(&bed), 0);
	bed_close(&bed);
}

/* Annotations beside it are cleared, and their tables go: not what is parked. */
static void clearing_notes_passes_it(void **state)
{
	(void)state;
	FOR_EACH_BLOCK(level, cfg)
	{
		uint64_t ipa, page, marker;
		struct s2_op op;

		park(cfg, level, &op, &ipa);
		page = page_size(&bed.s2);
		assert_int_equal(s2_unmap(&bed.s2, s2_ipa(ipa - size), size, S2_NO_CLEAN,
					  NULL),
				 0);
		assert_int_equal(
			s2_annotate(&bed.s2, s2_ipa(ipa - page), page, 7, 0, NULL), 0);
		assert_int_equal(s2_annotate(&bed.s2, s2_ipa(ipa + 2 * size), page, 7, 0,
					     NULL),
				 0);
		marker = *slot;
		bed_cost(&bed);
		watch_call(&watcher);
		assert_int_equal(s2_annotate(&bed.s2, s2_ipa(ipa - size), 4 * size, 0, 0,
					     NULL),
				 0);
		watch_return(&watcher);
		assert_true(*slot == marker);
		assert_int_equal(bed_cost(&bed).clean_bytes, 0);
		check(1);
		bed_unmap(&bed, ipa, size, S2_NO_CLEAN);
		end(&op, ipa);
	}
}

/* Beside others there is none to be made, and one that is met is not taken. */
static void shared_calls_clean_it_for_themselves(void **state)
{
	struct s2_limbo limbo = { 0 };
	struct s2_op op, shared = { .limbo = &limbo };
	const struct s2_config cfg = SHAPE(40, 48, 14, 0);
	uint64_t ipa;
	struct cost c;

	(void)state;
	park(&cfg, 2, &op, &ipa);
	watcher.also = NULL;
	watch_call(&watcher);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(ipa), size, S2_SHARED, &shared), 0);
	watch_return(&watcher);
	c = bed_cost(&bed);
	assert_int_equal(c.clean_bytes, size - PARKED);
	assert_true(desc_parked(*slot));
	check(1);
	assert_int_equal(s2_map(&bed.s2, s2_ipa(ipa), s2_pa(8 * GIB), size, RW,
				S2_SHARED | S2_MAP_REPLACE, &shared),
			 S2_E_BUSY);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	/* The table around it is not detached for being empty. */
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(ipa - size), size, S2_SHARED, &shared),
			 0);
	assert_int_equal(s2_unmap(&bed.s2, s2_ipa(ipa + size), size, S2_SHARED, &shared),
			 0);
	assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
	check(1);
	bed_cost(&bed);
	watcher.also = on_event;
	memset(cleaned, 1, PARKED >> 14);
	memset(cleaned + (PARKED >> 14), 0, (size - PARKED) >> 14);
	bed_unmap(&bed, ipa, size, 0);
	assert_int_equal(bed_cost(&bed).clean_bytes, size - PARKED);
	assert_int_equal(bed_tables(&bed), 0);
	end(&op, ipa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_op_goes_on),
		cmocka_unit_test(an_unmap_of_a_part_finishes_all),
		cmocka_unit_test(several_go_on_in_turns),
		cmocka_unit_test(nobody_waives_it_for_another),
		cmocka_unit_test(a_replacing_map_finishes_it),
		cmocka_unit_test(only_what_is_larger_than_a_step),
		cmocka_unit_test(never_two_of_one_operation),
		cmocka_unit_test(behind_another_ones_back),
		cmocka_unit_test(clearing_notes_passes_it),
		cmocka_unit_test(shared_calls_clean_it_for_themselves),
	};

	return cmocka_run_group_tests_name("parked", tests, NULL, NULL);
}
