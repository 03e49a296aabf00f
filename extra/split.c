/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2_split(): every block of a range becomes pages. The rounds are in src/edges.c.
 */
#include "internal.h"

/*
 * Tables to bring the block under the cursor down to pages where it intersects
 * the window: at each level one for every part that does.
 */
static uint64_t tables_under(const struct cursor *c, const struct wanted *w)
{
	uint64_t base = cursor_base(c), last = cursor_past(c) - 1, start = w->start;
	uint64_t n = 0;

	if (start < base)
		start = base;
	if (w->end - 1 < last)
		last = w->end - 1;
	for (int level = c->level; level < LAST_LEVEL; level++) {
		unsigned shift = level_shift(c->s2, level);

		n += (last >> shift) - (start >> shift) + 1;
	}
	return n;
}

/*
 * How many tables the next blocks take, and in w->end where those end. Without a budget a
 * level-1 block goes down to pages at once. With one it goes down one level and ends the
 * step, and the next step begins with it (*next); otherwise a step takes as many blocks
 * as their tables have entries in the budget. A quarter of the visits counts, three walk
 * again.
 */
static uint64_t count_tables(struct s2 *s2, struct step *step, struct wanted *w,
			     uint64_t *next)
{
	/* One at least: a table of 64 KiB has more entries than the least budget. */
	uint64_t most = step->op->max_entries / table_entries(s2) + 1;
	uint64_t kept = step->entries / 4 * 3 + S2_LEVELS, n = 0;
	struct cursor c;

	if (!is_bounded(step) || !step->op->max_entries) {
		kept = 0;
		most = UINT64_MAX;
	}
	step->entries -= kept;
	cursor_start(&c, s2, step, w->start, w->end);
	*next = UINT64_MAX;
	while (*next == UINT64_MAX && n < most && next_block(&c, w)) {
		n += most == UINT64_MAX ? tables_under(&c, w) : 1;
		if (most != UINT64_MAX && c.level + 1 < LAST_LEVEL)
			*next = c.ipa;
		cursor_next(&c);
	}
	step->entries += kept;
	w->end = cursor_at(&c);
	if (*next > w->end)
		*next = w->end;
	return n;
}

static int split_steps(struct s2 *s2, struct s2_op *op, struct step *step)
{
	uint64_t end = op->st.ipa + op->st.size;
	struct wanted w = { .start = op->st.pos, .end = end };
	uint64_t next;

	/* Beside others blocks may come in again and again: a few times. */
	for (int i = 0; i < 4; i++) {
		uint64_t reserve = 0, n = count_tables(s2, step, &w, &next);

		if (step->wait)
			return S2_MORE;
		if (reserve_fill(s2, op->cookie, &reserve, n))
			return S2_E_NOMEM;
		if (n && has_runs(s2)) {
			run_break(s2, w.start);
			run_break(s2, w.end);
		}
		op->changed += n;
		for (int round = 0; reserve && round < LAST_LEVEL; round++)
			split_round(s2, step, &w, &reserve);
		/* Beside others a block may have been taken away. */
		S2_ASSERT(!reserve || is_shared(step));
		reserve_drain(s2, &reserve);
		if (!is_shared(step)) {
			op->st.pos = next;
			return next < end ? S2_MORE : 0;
		}
		if (step->wait)
			return S2_MORE;
		/* It is done when a walk finds no block (P15). */
		if (!n)
			return 0;
	}
	return S2_MORE;
}

int s2_split(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err;

	if (!S2_USE_RESHAPE)
		return S2_E_UNSUPPORTED;
	if (flags & ~S2_SHARED)
		return S2_E_FLAGS;
	err = op_begin(s2, &op, &local, &step, OP_SPLIT, ipa.ipa, size, 0, flags);
	if (err)
		return err;
	err = split_steps(s2, op, &step);
	if (err == S2_MORE)
		op->done = s2_ipa(op->st.pos);
	return op_end(s2, op, &step, err);
}
