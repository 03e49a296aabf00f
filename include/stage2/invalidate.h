/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Invalidations: unmaps that share one, and what one would be. Part of stage2.h, which
 * includes it.
 */
#ifndef STAGE2_INVALIDATE_H
#define STAGE2_INVALIDATE_H

#include <stage2/stage2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- batches --------------------------------------------------------------- */

/** S2_PLAN_OPS - the most TLBI instructions by address in one plan */
#define S2_PLAN_OPS 8

/**
 * struct s2_gather - engine: an interval that is to be invalidated
 * @start: its first byte; @end: its last plus one; equal: empty
 * @stride: the smallest leaf, or a page when not known
 * @levels: of the leaves, one bit each
 * @table: a table entry was removed
 */
struct s2_gather {
	uint64_t start, end;
	uint64_t stride;
	uint8_t levels;
	bool table;
};

/** S2_BATCH_RANGES - so many separate ranges a batch holds; one more flushes it */
#define S2_BATCH_RANGES 64

/**
 * struct s2_batch - unmaps that share one invalidation
 *
 * Allocated by the caller; every field is the engine's.
 */
struct s2_batch {
	struct s2_gather place[S2_PLAN_OPS];
	struct s2_batch_range {
		uint64_t start, end;
		bool clean;
	} range[S2_BATCH_RANGES];
	uint8_t places, ranges;
	uint8_t tag;
};

/**
 * s2_batch_begin() - open a batch
 * @s2: the instance; one batch may be open on it
 * @b: storage for the batch, until s2_batch_end() has returned 0
 *
 * s2_unmap() with op->batch = @b then breaks its range and returns. Its promises hold
 * only after s2_batch_flush() or s2_batch_end(), which issue one invalidation for all of
 * the ranges, clean those whose callers have not waived it, and release. Until then do
 * not give away the memory that was unmapped. Such a call flushes early if its range
 * would be one more than %S2_BATCH_RANGES (consecutive ranges in order count as one).
 *
 * Exclusive calls without op->batch may come in between. One that would change what the
 * batch has unmapped returns %S2_E_BATCH and has changed nothing: flush first. Lookup,
 * iteration, s2_survey() and s2_clean() are allowed.
 *
 * Return: 0, %S2_E_BATCH (one is open), %S2_E_BUSY (no tag is free, see %S2_TAGS).
 * Context: any. Locking: exclusive; no shared call while it is open (%S2_E_BATCH).
 */
int s2_batch_begin(struct s2 *s2, struct s2_batch *b);

/**
 * s2_batch_flush() - finish what is pending, and keep the batch open
 * @s2: the instance
 * @b: its open batch
 * @op: limbo; or NULL
 *
 * Return: 0, %S2_E_BATCH (not its open batch), %S2_E_BUDGET (there is a budget),
 * %S2_E_RESUME. Context: any. Locking: exclusive.
 */
int s2_batch_flush(struct s2 *s2, struct s2_batch *b, struct s2_op *op);

/**
 * s2_batch_end() - finish what is pending and close the batch
 * @s2: the instance
 * @b: its open batch
 * @op: limbo; or NULL
 *
 * Return: as s2_batch_flush(). Context: any. Locking: exclusive.
 */
int s2_batch_end(struct s2 *s2, struct s2_batch *b, struct s2_op *op);

/* ---- planning an invalidation --------------------------------------------- */

/** enum s2_tlbi - the TLB invalidations the planner chooses from */
enum s2_tlbi { S2_TLBI_IPAS2E1IS, S2_TLBI_RIPAS2E1IS, S2_TLBI_VMALLS12E1IS };

/**
 * struct s2_plan - the stage-2 TLBIs of one invalidation
 * @n: how many; 0 for an empty range
 * @op: which
 * @operand: its register operand (by address), in order of address
 * @beyond: bytes the plan invalidates beyond the range asked for; for
 *	VMALLS12E1IS: UINT64_MAX
 *
 * A plan by address is followed by DSB ISH, TLBI VMALLE1IS; VMALLS12E1IS needs
 * no stage-1 TLBI after it.
 */
struct s2_plan {
	enum s2_tlbi op[S2_PLAN_OPS];
	uint64_t operand[S2_PLAN_OPS];
	uint64_t beyond;
	unsigned n;
};

/**
 * s2_plan_range() - the cheapest sufficient invalidation for a range
 * @cfg: its features, granule and PA size count; no instance is needed
 * @ipa: start, in bytes; granule aligned
 * @size: bytes; a multiple of the granule; 0: an empty plan
 * @stride: bytes: the smallest leaf that was removed, or the granule if a table
 *	was removed whose leaves are not known
 * @level: the level of every removed leaf, 1..3; 0: not known, or different levels, or
 *	a table was removed (no TTL hint)
 * @plan: out
 *
 * The cost rule is in src/inval.c and docs/design.md.
 * Return: nothing. Context: any. Locking: none.
 */
void s2_plan_range(const struct s2_config *cfg, uint64_t ipa, uint64_t size,
		   uint64_t stride, int level, struct s2_plan *plan);

#ifdef __cplusplus
}
#endif
#endif /* STAGE2_INVALIDATE_H */
