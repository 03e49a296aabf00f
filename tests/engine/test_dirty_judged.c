/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty state on the machine model: two PEs write to guest memory between any two events
 * of the engine's, by whatever translation leaves the least trace. What the engine
 * reports is claimed to be complete; one page lost, at any time, is convicted. Without
 * collapse, which takes a block for dirty unread: the model wants to see it looked at.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <stage2/stage2.h>

#include "machine.h"
#include "rnd.h"
#include "stage2_port.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define BASE (UINT64_C(1) << 30)
#define SIZE (8 * MIB)
#define PAGES (SIZE / PAGE)
#define VTTBR_VMID (UINT64_C(5) << 48)
#define CLEAN (S2_R | S2_DBM)

static struct model_port port;
static struct s2 s2;
static uint64_t root, bits[PAGES / 64];
static struct s2_dirty_log dirty = { { BASE }, SIZE, bits, false };

static void open_world(uint32_t features, uint32_t machine, uint64_t seed)
{
	struct machine_config mc = { .pes = 3, .features = machine | S2M_HAFDBS };
	struct s2_config cfg = { .ipa_bits = 40,
				 .pa_bits = 48,
				 .features = features | S2_FEAT_HAFDBS | S2_FEAT_DBM,
				 .port = &port };

	port = (struct model_port){ .m = machine_new(&mc), .fail_alloc = -1 };
	assert_non_null(port.m);
	assert_int_equal(s2_init(&s2, &cfg), 0);
	root = s2m_pa(port.m, s2.root);
	port.vttbr = s2_vttbr(&s2) | VTTBR_VMID;
	for (unsigned pe = 0; pe < mc.pes; pe++) {
		s2m_setup(port.m, pe, s2_vtcr(&s2), features & S2_FEAT_FWB);
		if (pe)
			s2m_guest_enter(port.m, pe, port.vttbr);
	}
	memset(bits, 0, sizeof(bits));
	dirty.missed = false;
	s2m_guest_writes(port.m, root, BASE, SIZE, seed);
}

static void close_world(void)
{
	s2m_guest_writes(port.m, root, BASE, SIZE, 0);
	s2m_guests_gone(port.m, 0, root);
	assert_int_equal(s2_destroy(&s2, 0, NULL), 0);
	machine_free(port.m);
}

/* What the log says is found. */
static unsigned found(void)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < PAGES; i++)
		if (bits[i / 64] >> i % 64 & 1) {
			s2m_dirty_found(port.m, 0, root, BASE + i * PAGE, PAGE);
			n++;
		}
	memset(bits, 0, sizeof(bits));
	assert_false(dirty.missed);
	return n;
}

static void finish(int (*call)(uint64_t, uint64_t, struct s2_op *), uint64_t ipa,
		   uint64_t size, bool bounded)
{
	struct s2_op op = { .dirty = &dirty, .max_entries = bounded ? 512 : 0 };
	int ret;

	do
		ret = call(ipa, size, &op);
	while (ret == S2_MORE);
	assert_int_equal(ret, 0);
}

static int unmap(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_unmap(&s2, s2_ipa(ipa), size, S2_SPLIT_EDGES, op);
}

static int collect(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_dirty(&s2, s2_ipa(ipa), size, S2_CLEAR, &dirty, op);
}

static int split(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	return s2_split(&s2, s2_ipa(ipa), size, 0, op);
}

static int replace(uint64_t ipa, uint64_t size, struct s2_op *op)
{
	op->max_entries = 0;
	return s2_map(&s2, s2_ipa(ipa), s2_pa(8 * BASE + below(4) * BASE + ipa - BASE),
		      size, CLEAN,
		      S2_MAP_REPLACE | S2_SPLIT_EDGES | (below(2) ? S2_MAP_PAGES : 0),
		      op);
}

static void one_operation(unsigned *n)
{
	uint64_t unit = below(2) ? PAGE : 2 * MIB;
	uint64_t ipa = BASE + below(SIZE / unit) * unit;
	uint64_t size = (1 + below((BASE + SIZE - ipa) / unit)) * unit;
	bool bounded = below(2);

	switch (below(6)) {
	case 0:
		finish(unmap, ipa, size, bounded);
		*n += found();
		s2m_claim_harvested(port.m, 0, root, ipa, size);
		s2m_claim_unmapped(port.m, 0, root, ipa, size, 0);
		break;
	case 1:
		finish(split, ipa, size, bounded);
		break;
	case 2:
	case 3:
	case 4:
		finish(collect, ipa, size, bounded);
		*n += found();
		/* What was written behind the look is found by the next, in silence. */
		s2m_guest_writes(port.m, root, BASE, SIZE, 0);
		finish(collect, ipa, size, bounded);
		*n += found();
		s2m_claim_harvested(port.m, 0, root, ipa, size);
		s2m_guest_writes(port.m, root, BASE, SIZE, 1 + below(1000));
		break;
	case 5:
		finish(replace, ipa, size, false);
		break;
	}
}

static void no_write_is_lost(void **state)
{
	static const struct {
		uint32_t engine, machine;
	} set[] = { { S2_FEAT_FWB | S2_FEAT_TLBIRANGE, S2M_FWB | S2M_TLBIRANGE },
		    { S2_FEAT_TLBIRANGE, S2M_TLBIRANGE },
		    { S2_FEAT_FWB, S2M_FWB },
		    { 0, 0 } };

	(void)state;
	rnd_state = 1;
	print_message("seed %" PRIu64 "\n", rnd_state);
	for (unsigned i = 0; i < sizeof(set) / sizeof(*set); i++) {
		unsigned n = 0;

		open_world(set[i].engine, set[i].machine, i + 1);
		for (unsigned k = 0; k < 150; k++) {
			one_operation(&n);
			if (s2m_violations(port.m))
				fail_msg("%s: %s", s2m_violation(port.m, 0)->rule,
					 s2m_violation(port.m, 0)->detail);
		}
		/* The guest has written, and more than a little. */
		assert_true(n > 500);
		close_world();
	}
}

/* What the model says to an unmap that asks for no harvest, and claims there was one. */
static void a_lost_write_is_convicted(void **state)
{
	(void)state;
	open_world(S2_FEAT_FWB, S2M_FWB, 0);
	assert_int_equal(s2_map(&s2, s2_ipa(BASE), s2_pa(8 * BASE), 2 * MIB, CLEAN,
				S2_MAP_PAGES, NULL),
			 0);
	assert_true(s2m_guest_write(port.m, 1, root, BASE + 5 * PAGE));
	assert_int_equal(s2_unmap(&s2, s2_ipa(BASE), 2 * MIB, 0, NULL), 0);
	s2m_claim_harvested(port.m, 0, root, BASE, 2 * MIB);
	assert_int_equal(s2m_violations(port.m), 1);
	close_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_write_is_lost),
		cmocka_unit_test(a_lost_write_is_convicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
