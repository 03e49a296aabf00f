/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of split and collapse share. */
#ifndef TESTS_ENGINE_RESHAPE_H
#define TESTS_ENGINE_RESHAPE_H

#include "watched.h"
#include "desc.h"
#include "shapes.h"

#define BLOCK (2 * MIB)

/* To the end of the operation, each step within its budget; returns the steps. */
static inline unsigned collapse_by(uint64_t ipa, uint64_t size, uint32_t flags,
				   struct s2_op *op)
{
	unsigned steps = 0;
	int ret;

	do {
		uint64_t before = op->done.ipa;

		ret = s2_collapse(&bed.s2, s2_ipa(ipa), size, flags, op);
		assert_true(!op->max_entries || op->visited <= op->max_entries);
		assert_true(!steps || op->done.ipa >= before);
		assert_true(++steps < 100000);
	} while (ret == S2_MORE);
	assert_int_equal(ret, 0);
	assert_true(op->done.ipa == ipa + size);
	return steps;
}

static inline void collapse(uint64_t ipa, uint64_t size)
{
	assert_int_equal(s2_collapse(&bed.s2, s2_ipa(ipa), size, 0, NULL), 0);
}

static inline int level_at(uint64_t ipa)
{
	struct s2_mapping m = bed_lookup(&bed, ipa);

	assert_int_equal(m.state, S2_LEAF);
	return m.level;
}

/* What is mapped, leaf by leaf, in one number. */
static inline uint64_t digest(void)
{
	struct s2_mapping m;
	struct s2_iter it;
	uint64_t sum = 0;

	assert_int_equal(s2_iter_start(&it, &bed.s2, s2_ipa(GIB), GIB), 0);
	while (s2_iter_next(&it, &m))
		sum = (sum ^ m.desc ^ m.ipa.ipa ^ (uint64_t)m.level) *
		      UINT64_C(0x100000001b3);
	return sum;
}

#endif
