/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stage2: this library. */
#include "strategy.h"

/* Calls until the operation is done, and counts each call as a step. */
#define STEPS(run, err, call)      \
	do {                       \
		err = (call);      \
		lab_step_end(run); \
	} while (err == S2_MORE)

static int unmap(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .max_entries = run->budget };
	int err;

	STEPS(run, err, s2_unmap(&run->vm->s2, s2_ipa(ipa), size, S2_DROP_EDGES, &op));
	return err;
}

static int split(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .max_entries = run->budget };
	int err;

	STEPS(run, err, s2_split(&run->vm->s2, s2_ipa(ipa), size, 0, &op));
	return err;
}

static int collapse(struct lab_run *run, uint64_t ipa, uint64_t size)
{
	struct s2_op op = { .max_entries = run->budget };
	int err;

	STEPS(run, err, s2_collapse(&run->vm->s2, s2_ipa(ipa), size, 0, &op));
	return err;
}

const struct lab_strategy strategy_stage2 = {
	.name = "stage2",
	.says = "this library: break, invalidate once, clean, release",
	.must_be_safe = true,
	.work = { unmap, split, collapse },
};
