/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Batches beside other calls, cleans that are waived, and single cases: every granule in
 * a configuration, a split edge in a run of blocks, hardware that writes an entry between
 * an exclusive call's load and its swap.
 */
#include "bed.h"
#include "desc.h"

#define A GIB
#define BLOCK (2 * MIB)
#define PA0 (4 * GIB)

static struct bed bed;
static struct s2_batch batch;

/* How often each page from PA0 on has been cleaned. */
static unsigned cleaned[4096];

static void on_event(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	(void)port;
	if (what != COUNT_CLEAN)
		return;
	for (; value; value -= PAGE, at += PAGE)
		if (at >= PA0 && (at - PA0) / PAGE < 4096)
			cleaned[(at - PA0) / PAGE]++;
}

static void open_bed(uint32_t features)
{
	memset(cleaned, 0, sizeof(cleaned));
	bed_open(&bed, 40, features, 100);
	bed.port.record = on_event;
}

static void close_bed(void)
{
	bed.port.record = NULL;
	assert_int_equal(bed.s2.tags, 1);
	bed_check(&bed);
	bed_close(&bed);
}

/* All of [from, from + size) @times, as bytes from PA0 on. */
static void assert_cleaned(uint64_t from, uint64_t size, unsigned times)
{
	for (uint64_t p = from; p < from + size; p += PAGE)
		assert_int_equal(cleaned[p / PAGE], times);
}

static int unmap(uint64_t at, uint64_t size, uint32_t flags, struct s2_op *op)
{
	return s2_unmap(&bed.s2, s2_ipa(A + at), size, flags, op);
}

/* ---- batches --------------------------------------------------------------------- */

/*
 * Each changing call outside the batch on what is pending is refused, and changes
 * nothing.
 */
static void a_call_on_what_is_pending_is_refused(void **state)
{
	static const struct {
		uint64_t at, size;
	} range[] = {
		{ 6 * MIB, BLOCK }, { 6 * MIB, PAGE },	  { 8 * MIB - PAGE, PAGE },
		{ 0, 8 * MIB },	    { 4 * MIB, 4 * MIB }, { 6 * MIB + PAGE, 4 * PAGE },
		{ 0, GIB },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(range) / sizeof(*range); i++) {
		struct s2_op in = { .batch = &batch },
			     steps = { .max_entries = 512,
				       .max_bytes = S2_BUDGET_BYTES_MIN };
		uint64_t at = range[i].at, size = range[i].size;
		s2_ipa_t ipa = s2_ipa(A + at);
		struct s2 *s = &bed.s2;
		bool young = false;

		open_bed(S2_FEAT_TLBIRANGE);
		bed_map(&bed, A, PA0, 8 * MIB, RW, S2_NO_CLEAN);
		assert_int_equal(s2_batch_begin(s, &batch), 0);
		assert_int_equal(unmap(6 * MIB, BLOCK, 0, &in), 0);
#define REFUSED(call) assert_int_equal(call, S2_E_BATCH)
		REFUSED(s2_unmap(s, ipa, size, S2_DROP_EDGES, NULL));
		REFUSED(s2_unmap(s, ipa, size, S2_DROP_EDGES | S2_NO_CLEAN, NULL));
		REFUSED(s2_unmap(s, ipa, size, S2_DROP_EDGES, &steps));
		REFUSED(s2_map(s, ipa, s2_pa(PA0), size, RW, S2_MAP_REPLACE, NULL));
		REFUSED(s2_map(s, ipa, s2_pa(PA0), size, RW, 0, NULL));
		REFUSED(s2_map(s, ipa, s2_pa(PA0), size, S2_R, S2_MAP_PAGES, NULL));
		REFUSED(s2_wrprotect(s, ipa, size, 0, NULL));
		REFUSED(s2_age(s, ipa, size, S2_CLEAR, &young, NULL));
		REFUSED(s2_split(s, ipa, size, 0, NULL));
		REFUSED(s2_collapse(s, ipa, size, 0, NULL));
		REFUSED(s2_annotate(s, ipa, size, 1, 0, NULL));
#undef REFUSED
		for (uint64_t p = 0; p < 6 * MIB; p += BLOCK)
			assert_int_equal(bed_lookup(&bed, A + p).state, S2_LEAF);
		assert_int_equal(s2_batch_end(s, &batch, NULL), 0);
		assert_cleaned(0, 6 * MIB, 0);
		assert_cleaned(6 * MIB, BLOCK, 1);
		assert_int_equal(s2_unmap(s, s2_ipa(A), 8 * MIB, 0, NULL), 0);
		assert_cleaned(0, 8 * MIB, 1);
		close_bed();
	}
}

static void looks_and_other_ranges_are_allowed_beside_a_batch(void **state)
{
	struct s2_op in = { .batch = &batch };
	struct s2_survey found;

	(void)state;
	open_bed(S2_FEAT_TLBIRANGE);
	bed_map(&bed, A, PA0, 8 * MIB, RW, S2_NO_CLEAN);
	assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
	assert_int_equal(unmap(4 * MIB, BLOCK, 0, &in), 0);
	assert_int_equal(bed_lookup(&bed, A + 4 * MIB).state, S2_BUSY);
	assert_int_equal(s2_survey(&bed.s2, s2_ipa(A), 8 * MIB, 0, &found, NULL), 0);
	assert_true(found.leaves[2] == 6 * MIB && found.busy == 2 * MIB);
	assert_int_equal(s2_clean(&bed.s2, s2_ipa(A), 8 * MIB, 0, NULL), 0);
	/* Both neighbours. */
	bed_unmap(&bed, A + 2 * MIB, BLOCK, 0);
	bed_unmap(&bed, A + 6 * MIB, BLOCK, 0);
	assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
	assert_cleaned(2 * MIB, 2 * MIB, 2);
	assert_cleaned(6 * MIB, 2 * MIB, 2);
	assert_true(cleaned[4 * MIB / PAGE] >= 1);
	close_bed();
}

/* The batch's unmap, or the one outside, comes between two steps of the other. */
static void a_batch_beside_an_unmap_in_steps(void **state)
{
	(void)state;
	for (unsigned when = 1; when < 6; when++)
		for (unsigned part = 0; part < 4; part++) {
			struct s2_op in = { .batch = &batch },
				     out = { .max_bytes = S2_BUDGET_BYTES_MIN };
			bool refused = false, done_before;
			unsigned step = 0;
			int ret;

			open_bed(S2_FEAT_TLBIRANGE);
			bed_map(&bed, A, PA0, 8 * MIB, RW, S2_NO_CLEAN);
			do {
				ret = unmap(0, 8 * MIB, 0, &out);
				step++;
			} while (ret == S2_MORE && step < when);
			done_before = !ret;
			assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
			assert_int_equal(unmap(part * BLOCK, BLOCK, 0, &in), 0);
			while (ret == S2_MORE)
				ret = unmap(0, 8 * MIB, 0, &out);
			refused = ret == S2_E_BATCH;
			assert_true(!ret || refused);
			if (!ret)
				assert_cleaned(0, part * BLOCK, 1);
			assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
			/* The batch's promise. */
			assert_cleaned(part * BLOCK, BLOCK, 1);
			/* It goes on where it was. */
			while (refused && (ret = unmap(0, 8 * MIB, 0, &out)) == S2_MORE)
				;
			assert_int_equal(ret, 0);
			assert_cleaned(0, 8 * MIB, 1);
			assert_true(!done_before || !refused);
			close_bed();
		}
}

/* A block is dropped whole, and waits for the flush with all of it. */
static void what_is_dropped_at_an_edge_waits_with_the_rest(void **state)
{
	(void)state;
	for (unsigned half = 0; half < 2; half++) {
		struct s2_op in = { .batch = &batch };
		uint64_t at = half * MIB, rest = !half * MIB;

		open_bed(S2_FEAT_TLBIRANGE);
		bed_map(&bed, A, PA0, 4 * MIB, RW, S2_NO_CLEAN);
		assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
		assert_int_equal(unmap(at, MIB, S2_DROP_EDGES, &in), 0);
		assert_int_equal(unmap(rest, MIB, S2_DROP_EDGES, NULL), S2_E_BATCH);
		assert_int_equal(unmap(rest, PAGE, S2_DROP_EDGES, NULL), S2_E_BATCH);
		assert_int_equal(unmap(BLOCK, PAGE, S2_DROP_EDGES, NULL), 0);
		assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
		assert_cleaned(0, 2 * BLOCK, 1);
		close_bed();
	}
}

static void a_batch_is_of_unmaps(void **state)
{
	struct s2_op in = { .batch = &batch }, budget = { .max_entries = 4096 };
	struct s2 *s = &bed.s2;
	bool young = false;

	(void)state;
	open_bed(S2_FEAT_TLBIRANGE);
	bed_map(&bed, A, PA0, 8 * MIB, RW, S2_NO_CLEAN);
	assert_int_equal(s2_batch_begin(s, &batch), 0);
	assert_int_equal(s2_wrprotect(s, s2_ipa(A), BLOCK, 0, &in), S2_E_BATCH);
	assert_int_equal(s2_age(s, s2_ipa(A), BLOCK, S2_CLEAR, &young, &in), S2_E_BATCH);
	assert_int_equal(s2_split(s, s2_ipa(A), BLOCK, 0, &in), S2_E_BATCH);
	assert_int_equal(s2_collapse(s, s2_ipa(A), BLOCK, 0, &in), S2_E_BATCH);
	assert_int_equal(s2_map(s, s2_ipa(A), s2_pa(PA0), BLOCK, S2_R, 0, &in),
			 S2_E_BATCH);
	in.max_entries = 4096;
	assert_int_equal(unmap(0, BLOCK, 0, &in), S2_E_BUDGET);
	assert_int_equal(s2_batch_flush(s, &batch, &budget), S2_E_BUDGET);
	assert_int_equal(bed_lookup(&bed, A).level, 2);
	assert_true(bed_lookup(&bed, A).attr & S2_W);
	assert_int_equal(s2_batch_end(s, &batch, NULL), 0);
	close_bed();
}

/* ---- cleans that are waived -------------------------------------------------------- */

enum together { ONE_BY_ONE, BATCHED, AT_ONCE };

/* Every call waives: no page is cleaned, however they are unmapped. */
static void nothing_is_cleaned_that_every_caller_waived(void **state)
{
	static const uint32_t edges[] = { 0, S2_DROP_EDGES, S2_SPLIT_EDGES };
	static const uint64_t sizes[] = { PAGE, 3 * PAGE, BLOCK, 3 * BLOCK };

	(void)state;
	for (unsigned i = 0; i < 3 * 4 * 3 * 2; i++) {
		uint32_t flags = S2_NO_CLEAN | edges[i % 3];
		uint64_t size = sizes[i / 3 % 4],
			 all = size < BLOCK ? 2 * BLOCK : 8 * BLOCK;
		enum together how = (enum together)(i / 12 % 3);
		struct s2_op in = { .batch = how == BATCHED ? &batch : NULL };

		open_bed(0);
		bed_map(&bed, A, PA0, all, RWX,
			S2_NO_CLEAN | (i / 36 ? S2_MAP_PAGES : 0));
		if (how == BATCHED)
			assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
		for (uint64_t at = 0; at < all; at += size) {
			uint64_t n = how == AT_ONCE  ? all :
				     all - at < size ? all - at :
						       size;
			int ret = unmap(at, n, flags, &in);

			/* Blocks of which a page is unmapped, and no flag for it. */
			assert_true(!ret || (ret == S2_E_BLOCK && !edges[i % 3]));
			if (how == AT_ONCE)
				break;
		}
		if (how == BATCHED)
			assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
		assert_true(!bed.port.clean_bytes);
		assert_int_equal(s2_destroy(&bed.s2, S2_NO_CLEAN, NULL), 0);
		assert_true(!bed.port.clean_bytes);
		bed_close(&bed);
	}
}

/* In one batch: those that waive it are not cleaned, the others are, each once. */
static void a_batch_cleans_what_was_not_waived_and_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 2 * 3; i++) {
		uint64_t size = i & 1 ? PAGE : BLOCK, n = i & 1 ? 1024 : 8;
		unsigned every = 2 + i / 4;
		struct s2_op in = { .batch = &batch };

		open_bed(0);
		bed_map(&bed, A, PA0, size * n, RW,
			S2_NO_CLEAN | (i & 2 ? S2_MAP_PAGES : 0));
		assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
		for (uint64_t k = 0; k < n; k++) {
			int ret = unmap(k * size, size,
					S2_SPLIT_EDGES | (k % every ? S2_NO_CLEAN : 0),
					&in);

			assert_int_equal(ret, 0);
		}
		assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
		for (uint64_t k = 0; k < n; k++)
			assert_cleaned(k * size, size, !(k % every));
		close_bed();
	}
}

/* ---- single cases ------------------------------------------------------------------ */

/* Under UBSan a shift by what is no granule is an error by itself. */
static void every_granule_is_judged_before_it_is_used(void **state)
{
	(void)state;
	for (unsigned g = 0; g < 256; g++) {
		struct s2_config cfg = { .ipa_bits = 40,
					 .pa_bits = 48,
					 .granule_shift = (uint8_t)g };
		struct s2 s2;

		if (!g || g == 12 || g == 14 || g == 16) {
			bed_open_as(&bed, cfg, 4);
			bed_close(&bed);
			continue;
		}
		for (unsigned bits = 0; bits < 256; bits += 4) {
			cfg.ipa_bits = (uint8_t)(bits < 64 ? 40 : bits);
			memset(&s2, 0xa5, sizeof(s2));
			assert_true(s2_init(&s2, &cfg) < 0);
			assert_null(s2.root);
		}
		cfg.ipa_bits = 40;
		assert_int_equal(s2_init(&s2, &cfg), S2_E_CONFIG);
	}
}

/*
 * A run of sixteen blocks, and one page in one of them goes: the others are blocks as
 * before, none with the hint, and everything but the page is mapped.
 */
static void a_split_edge_inside_a_run_of_blocks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16 * 2; i++) {
		uint64_t at = i % 16 * BLOCK + (i / 16 ? 0 : PAGE);

		open_bed(S2_FEAT_FWB);
		bed_map(&bed, A, PA0, 32 * MIB, RW, S2_MAP_CONT);
		for (uint64_t b = 0; b < 32 * MIB; b += BLOCK)
			assert_true(bed_lookup(&bed, A + b).contiguous);
		assert_int_equal(unmap(at, PAGE, S2_SPLIT_EDGES, NULL), 0);
		for (uint64_t p = 0; p < 32 * MIB; p += PAGE) {
			struct s2_mapping m = bed_lookup(&bed, A + p);

			assert_int_equal(m.state, p == at ? S2_EMPTY : S2_LEAF);
			if (p == at)
				continue;
			assert_true(m.pa.pa - m.ipa.ipa == PA0 - A);
			assert_int_equal(m.level, p / BLOCK == at / BLOCK ? 3 : 2);
			assert_false(m.contiguous);
		}
		close_bed();
	}
}

static uint64_t *entry, hardware_sets;
static unsigned turn, loads;

static void hardware(struct count_port *port, enum count_event what, uint64_t at,
		     uint64_t value)
{
	(void)value;
	if (what == COUNT_LOAD && at == count_port_pa(port, entry) && loads++ == turn &&
	    desc_valid(*entry))
		*entry |= hardware_sets;
}

/*
 * Between a load of an entry and the write that changes it the guest writes through it,
 * and hardware notes that. An exclusive map with other permissions does not undo it, and
 * one that ends the record tells the log.
 */
static void hardware_beside_an_exclusive_map(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 2 * 2; i++) {
		bool pages = i & 1, log_it = i & 2, young = i & 4;

		for (turn = 0;; turn++) {
			uint64_t size = pages ? PAGE : BLOCK, bits[8] = { 0 };
			struct s2_dirty_log log = { .ipa = { A },
						    .size = BLOCK,
						    .bits = bits };
			struct s2_op op = { .dirty = log_it ? &log : NULL };
			uint32_t flags = pages ? S2_MAP_PAGES : 0;
			bool was_young = false, hit;

			loads = 0;
			open_bed(S2_FEAT_FWB | S2_FEAT_HAFDBS | S2_FEAT_DBM);
			bed_map(&bed, A, PA0, size, S2_R | S2_DBM, flags);
			bed_map(&bed, A + BLOCK, PA0, PAGE, RW, S2_MAP_PAGES);
			if (young)
				assert_int_equal(s2_age(&bed.s2, s2_ipa(A), size,
							S2_CLEAR, &was_young, NULL),
						 0);
			entry = bed_entry(&bed, A, pages ? 3 : 2);
			hardware_sets = DESC_S2AP_W | DESC_AF;
			bed.port.record = hardware;
			assert_int_equal(s2_map(&bed.s2, s2_ipa(A), s2_pa(PA0), size,
						S2_R | (log_it ? 0 : S2_X | S2_DBM),
						flags, &op),
					 0);
			bed.port.record = NULL;
			hit = loads > turn;
			assert_true(!(bed_lookup(&bed, A).attr & S2_X) == log_it);
			assert_true(bed_lookup(&bed, A).young);
			if (hit && log_it)
				assert_true(bits[0] & 1 ||
					    bed_lookup(&bed, A).attr & S2_W);
			else if (hit)
				assert_true(bed_lookup(&bed, A).attr & S2_W);
			close_bed();
			if (!hit)
				break;
		}
		assert_true(turn);
	}
}

/* ---- what is not RAM is not cleaned as RAM ---------------------------------- */

#define RAM_END (PA0 + 8 * PAGE) /* where the device's memory begins */
#define DEVICE S2_SW(9)

static uint64_t ram_cleaned, device_cleaned;

static void clean_is_of_one_kind(struct count_port *port, enum count_event what,
				 uint64_t at, uint64_t value)
{
	if (what != COUNT_CLEAN)
		return;
	assert_true(at >= RAM_END || at + value <= RAM_END);
	assert_int_equal(port->clean_attr & S2_SW_MASK, at >= RAM_END ? DEVICE : 0);
	assert_int_equal(port->clean_attr & S2_MEM_MASK, S2_MEM_NC);
	*(at >= RAM_END ? &device_cleaned : &ram_cleaned) += value;
}

/* RAM and the memory of a device, neighbours at both sides, with the same type. */
static void map_both(bool whole)
{
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, A, PA0, 8 * PAGE, RW | S2_MEM_NC, S2_NO_CLEAN);
	bed_map(&bed, A + 8 * PAGE, RAM_END, 8 * PAGE, RW | S2_MEM_NC | DEVICE,
		S2_NO_CLEAN);
	if (!whole)
		bed_map(&bed, A + 100 * PAGE, PA0 + GIB, PAGE, RW, 0);
	ram_cleaned = device_cleaned = 0;
	bed.port.record = clean_is_of_one_kind;
}

static void a_clean_joins_nothing_with_other_software_bits(void **state)
{
	struct s2_limbo limbo = { 0 };

	(void)state;
	for (unsigned how = 0; how < 12; how++) {
		struct s2_op op = { 0 };
		uint32_t flags = 0;
		bool whole = how % 2;
		int ret;

		map_both(whole);
		if (how / 2 == 1) {
			op.limbo = &limbo;
			flags = S2_SHARED;
		} else if (how / 2 == 2) {
			op.max_bytes = S2_BUDGET_BYTES_MIN;
		} else if (how / 2 == 3) {
			assert_int_equal(s2_batch_begin(&bed.s2, &batch), 0);
			op.batch = &batch;
		}
		if (how / 2 == 4) {
			ret = s2_clean(&bed.s2, s2_ipa(A), 16 * PAGE, 0, NULL);
		} else if (how / 2 == 5) {
			ret = s2_map(&bed.s2, s2_ipa(A), s2_pa(PA0 + 2 * GIB), 16 * PAGE,
				     RW, S2_MAP_REPLACE, NULL);
		} else {
			do
				ret = s2_unmap(&bed.s2, s2_ipa(A),
					       whole ? BLOCK : 16 * PAGE, flags, &op);
			while (ret == S2_MORE);
		}
		assert_int_equal(ret, 0);
		if (op.batch)
			assert_int_equal(s2_batch_end(&bed.s2, &batch, NULL), 0);
		assert_int_equal(ram_cleaned, 8 * PAGE);
		assert_int_equal(device_cleaned, 8 * PAGE);
		assert_int_equal(s2_release(&bed.s2, &limbo, NULL), 0);
		bed.port.record = NULL;
		bed_close(&bed);
	}
}

/* Of a block that is cleaned in steps, too. */
static void a_parked_leaf_keeps_its_software_bits(void **state)
{
	struct s2_op op = { .max_bytes = S2_BUDGET_BYTES_MIN };
	int ret;

	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, 4 * GIB, 4 * GIB, GIB, RW | S2_MEM_NC | DEVICE, S2_NO_CLEAN);
	while ((ret = s2_unmap(&bed.s2, s2_ipa(4 * GIB), GIB, 0, &op)) == S2_MORE)
		assert_int_equal(bed.port.clean_attr & S2_SW_MASK, DEVICE);
	assert_int_equal(ret, 0);
	assert_int_equal(bed.port.clean_attr & S2_SW_MASK, DEVICE);
	bed_close(&bed);
}

/* Nor does a collapse make one block of them. */
static void a_collapse_joins_nothing_with_other_software_bits(void **state)
{
	(void)state;
	open_bed(S2_FEAT_FWB);
	bed_map(&bed, A, PA0, BLOCK - PAGE, RW | S2_MEM_NC, S2_MAP_PAGES);
	bed_map(&bed, A + BLOCK - PAGE, PA0 + BLOCK - PAGE, PAGE, RW | S2_MEM_NC | DEVICE,
		0);
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(A), BLOCK, 0, NULL), 0);
	assert_int_equal(bed_lookup(&bed, A).level, 3);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_joins_nothing_with_other_software_bits),
		cmocka_unit_test(a_parked_leaf_keeps_its_software_bits),
		cmocka_unit_test(a_collapse_joins_nothing_with_other_software_bits),
		cmocka_unit_test(a_call_on_what_is_pending_is_refused),
		cmocka_unit_test(looks_and_other_ranges_are_allowed_beside_a_batch),
		cmocka_unit_test(a_batch_beside_an_unmap_in_steps),
		cmocka_unit_test(what_is_dropped_at_an_edge_waits_with_the_rest),
		cmocka_unit_test(a_batch_is_of_unmaps),
		cmocka_unit_test(nothing_is_cleaned_that_every_caller_waived),
		cmocka_unit_test(a_batch_cleans_what_was_not_waived_and_no_more),
		cmocka_unit_test(every_granule_is_judged_before_it_is_used),
		cmocka_unit_test(a_split_edge_inside_a_run_of_blocks),
		cmocka_unit_test(hardware_beside_an_exclusive_map),
	};

	return cmocka_run_group_tests_name("repro-kinds", tests, NULL, NULL);
}
