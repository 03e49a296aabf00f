/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is in a range, and with which attributes. No table is changed.
 */
#include "internal.h"

/*
 * Where the entries from @at on stop to agree with @d in the bits of @mask. The loop
 * itself would be half of the work: sixteen entries in a turn. Not inline: they would not
 * be in registers.
 */
static __attribute__((__noinline__)) const uint64_t *
alike(void *port, const uint64_t *at, const uint64_t *end, uint64_t d, uint64_t mask)
{
#define LOOK(i) differ |= s2_port_load(port, &at[i]) ^ d
#define LOOK_4(i) (LOOK(i), LOOK((i) + 1), LOOK((i) + 2), LOOK((i) + 3))
	for (uint64_t turns = (uint64_t)(end - at) / 16; turns; turns--, at += 16) {
		uint64_t differ = 0;

		LOOK_4(0);
		LOOK_4(4);
		LOOK_4(8);
		LOOK_4(12);
		if (differ & mask)
			break;
	}
#undef LOOK_4
#undef LOOK
	while (at < end && !((s2_port_load(port, at) ^ d) & mask))
		at++;
	return at;
}

/* @bytes of the range are in entries like @d, which is at @level. */
static void note_down(const struct s2 *s2, struct s2_survey *v, uint64_t d, int level,
		      uint64_t bytes)
{
	s2_attr_t attr;

	if (desc_valid(d)) {
		attr = desc_attr(s2, d);
		v->all = v->mapped ? v->all & attr : attr;
		v->any |= attr;
		v->mapped += bytes;
		v->leaves[level] += bytes;
	} else if (desc_busy(d)) {
		v->busy += bytes;
	} else if (d) {
		d >>= DESC_NOTE_SHIFT;
		v->note = !v->noted || v->note == d ? d : 0;
		v->noted += bytes;
	} else {
		v->empty += bytes;
	}
}

/* The entry under the cursor, which is @d, and those behind it that are like it. */
static void survey(struct cursor *c, const uint64_t *entry, uint64_t d,
		   struct s2_survey *v)
{
	const uint64_t *end = entry + cursor_run(c, c->step->entries + 1);
	uint64_t past = cursor_past(c), n = 0;

	/* None, where @d stands for an empty table. */
	if (S2_USE_FAST && end > entry) {
		n = (uint64_t)(alike(c->s2->port, entry, end, d,
				     desc_valid(d) ? desc_attr_mask(c->s2) : UINT64_MAX) -
			       entry);
		n -= n != 0;
		past += n << c->shift;
	}
	note_down(c->s2, v, d, c->level, (past < c->end ? past : c->end) - c->ipa);
	step_visits(c->step, n);
	cursor_on(c, n);
	cursor_next(c);
}

int s2_survey(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	      struct s2_survey *v, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	struct cursor c;
	int err;

	if (!S2_USE_CHANGES)
		return S2_E_UNSUPPORTED;
	if (flags & ~S2_SHARED)
		return S2_E_FLAGS;
	err = op_begin(s2, &op, &local, &step, OP_SURVEY, ipa.ipa, size, 0, flags);
	if (err)
		return err;
	if (op->st.pos == ipa.ipa)
		*v = (struct s2_survey){ 0 };
	cursor_start(&c, s2, &step, op->st.pos, ipa.ipa + size);
	while (cursor_more(&c)) {
		uint64_t *entry = cursor_entry(&c), d = cursor_load(&c, entry);

		/* An empty table is a hole. */
		if (desc_valid_table(d, c.level) && state_below(s2, d) & META_COUNTS)
			cursor_down(&c, d);
		else
			survey(&c, entry, desc_valid_table(d, c.level) ? 0 : d, v);
	}
	v->uniform = (v->mapped == size && v->all == v->any) ||
		     (v->noted == size && v->note) || v->empty == size;
	return op_end_at(s2, op, &step, cursor_at(&c));
}
