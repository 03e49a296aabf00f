/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One call of an operation: as whom it acts and what its budget leaves. What outlives the
 * call is in struct s2_op: the arguments, how far the operation has come, and tables
 * that wait to be freed.
 */
#ifndef STAGE2_SRC_STEP_H
#define STAGE2_SRC_STEP_H

#include "meta.h"

/*
 * Without a budget the numbers are so large that no range of 52 bits can use them up.
 */
struct step {
	uint64_t entries; /* visits left */
	uint64_t bytes;	  /* bytes left to clean */
	struct s2_op *op;
	bool bounded; /* there is a budget */
	bool shared;  /* other calls run beside this one: ask is_shared() */
	bool wait;    /* ... and one of them has to finish something first */
	uint8_t tag;  /* of the markers of this call; 0: none yet, or exclusive */
};

#define NO_BUDGET (UINT64_C(1) << 62)

static inline bool is_shared(const struct step *step)
{
	return S2_USE_SHARED && step->shared;
}

static inline bool is_bounded(const struct step *step)
{
	return S2_USE_STEPS && step->bounded;
}

static inline bool hw_writes(const struct s2 *s2)
{
	return S2_USE_HW && s2->features & S2_FEAT_HAFDBS;
}

static inline bool has_runs(const struct s2 *s2)
{
	return S2_USE_RUNS && s2->special & S2_RUNS;
}

static inline struct s2_batch *open_batch(const struct s2 *s2)
{
	return S2_USE_BATCH ? s2->batch : NULL;
}

static inline struct s2_batch *batch_of(const struct s2_op *op)
{
	return S2_USE_BATCH && op ? op->batch : NULL;
}

static inline struct s2_dirty_log *log_of(const struct s2_op *op)
{
	return S2_USE_HW && op ? op->dirty : NULL;
}

/*
 * Whether another agent may still use what op's operation has taken away: an invalidation
 * of it has failed, or that of a call beside it.
 */
static inline bool agents_failed(const struct s2 *s2, const struct s2_op *op)
{
	return S2_USE_AGENTS &&
	       (uint32_t)s2_port_word_load(s2->port, &s2->failures) != op->st.failures;
}

/* Where detached tables go, after their invalidation. */
static inline struct s2_limbo *limbo_of(struct s2 *s2, struct s2_op *op)
{
	if (op->limbo)
		return op->limbo;
	return agents_failed(s2, op) ? &s2->stuck : &op->st.own;
}

/* How much of @left bytes this step may clean: all, or whole pages. */
static inline uint64_t step_bytes(const struct s2 *s2, const struct step *step,
				  uint64_t left)
{
	return left < step->bytes ? left : step->bytes & ~(page_size(s2) - 1);
}

enum op_kind {
	OP_NONE,
	OP_MAP,
	OP_UNMAP,
	OP_DESTROY,
	OP_WRPROTECT,
	OP_AGE,
	OP_DIRTY,
	OP_SPLIT,
	OP_COLLAPSE,
	OP_FLUSH,
	OP_ANNOTATE,
	OP_CLEAN,
	OP_SURVEY
};

static inline int check_range(const struct s2 *s2, uint64_t ipa, uint64_t size)
{
	if ((ipa | size) & (page_size(s2) - 1))
		return S2_E_ALIGN;
	if (!size)
		return S2_E_SIZE;
	if (ipa + size < ipa)
		return S2_E_WRAP;
	if (ipa + size > UINT64_C(1) << s2->ipa_bits)
		return S2_E_IPA_RANGE;
	return 0;
}

/*
 * Whether the call is allowed now: a shared one not with runs, nor while a batch is open.
 */
int check_shared(const struct s2 *s2, uint32_t flags);
int check_log(const struct s2 *s2, const struct s2_dirty_log *log);

/* A step that no caller's budget bounds. */
static inline struct step step_free(uint32_t flags)
{
	return (struct step){ .entries = NO_BUDGET,
			      .bytes = NO_BUDGET,
			      .shared = flags & S2_SHARED };
}

/*
 * Begin a call: take *local when the caller gave no op; check the range, the budget and
 * the mode; start the operation or recognise the one under way (S2_E_RESUME if it is
 * another).
 */
int op_begin(struct s2 *s2, struct s2_op **op, struct s2_op *local, struct step *step,
	     enum op_kind kind, uint64_t ipa, uint64_t size, uint64_t arg,
	     uint32_t flags);
/*
 * End a call: ret is S2_MORE, 0 or an error. The last two end the operation; a shared
 * call always does.
 */
int op_end(struct s2 *s2, struct s2_op *op, const struct step *step, int ret);
/* The same for a loop that has come to @pos. */
int op_end_at(struct s2 *s2, struct s2_op *op, const struct step *step, uint64_t pos);

/* A number of its own for a batch or a shared call; 0: all are taken. */
unsigned tag_new(struct s2 *s2);
void tag_free(struct s2 *s2, unsigned tag);
/* The tag for the markers of a shared call; false when it has to wait for one. */
bool tag_take(struct s2 *s2, struct step *step);

/* Take @n tables into *reserve: all, or none and S2_E_NOMEM. */
int reserve_fill(struct s2 *s2, void *cookie, uint64_t *reserve, uint64_t n);
uint64_t *reserve_take(struct s2 *s2, uint64_t *reserve);
/* Put one back that was never linked. */
void reserve_return(struct s2 *s2, uint64_t *reserve, uint64_t *table);
void reserve_drain(struct s2 *s2, uint64_t *reserve);

#endif /* STAGE2_SRC_STEP_H */
