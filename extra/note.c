/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Owners' annotations: values in entries that map nothing. No PE caches an invalid
 * entry, so nothing here needs an invalidation but a table that has become empty, and
 * that is an unmap's work.
 */
#include "internal.h"

/* Tables for an entry under the cursor that has to be opened for [start, end). */
static unsigned tables_within(const struct cursor *c, uint64_t start, uint64_t end)
{
	uint64_t base = cursor_base(c), past = base + cursor_size(c);

	return (start > base ? tables_to(c->s2, start, c->level) : 0) +
	       (end < past ? tables_to(c->s2, end, c->level) : 0);
}

/*
 * Whether the range may be annotated, as far as half of the budget goes; how many tables
 * that part takes at most.
 */
static int look(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t desc,
		uint64_t *tables, uint64_t *to)
{
	uint64_t end = op->st.ipa + op->st.size, stop = step->entries / 2;
	struct cursor c;

	*tables = 0;
	cursor_start(&c, s2, step, op->st.pos, end);
	while (c.ipa < end && step->entries > stop) {
		uint64_t *entry, d;

		if (!cursor_read(&c, &entry, &d))
			continue;
		if (desc_valid(d))
			return S2_E_EXIST;
		if (desc_busy(d))
			return S2_E_BUSY;
		/* From this step's start: what was below may have gone since. */
		if (d != desc && !cursor_covers(&c))
			*tables += tables_within(&c, op->st.pos, end);
		cursor_next(&c);
	}
	*to = cursor_at(&c);
	return 0;
}

/*
 * Up to @to, or as far as the budget goes. A table that is made gets its first entry in
 * the same step: it is never empty. Returns where it stopped.
 */
static uint64_t put(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t desc,
		    uint64_t *reserve, uint64_t to)
{
	struct cursor c;
	bool gone;

	cursor_start(&c, s2, step, op->st.pos, op->st.ipa + op->st.size);
	while (c.ipa < to && step->entries > S2_LEVELS) {
		uint64_t *entry, d;

		state_flag(&c, cursor_meta(&c), META_NOTED);
		if (!cursor_read(&c, &entry, &d))
			continue;
		if (d != desc && !cursor_covers(&c)) {
			put_table(&c, entry, d, reserve, &gone);
			continue;
		}
		if (d != desc) {
			s2_port_store(s2->port, entry, desc);
			state_add(&c, cursor_meta(&c), d ? 0 : META_NOTE_ONE);
			op->changed++;
		}
		cursor_next(&c);
	}
	return c.ipa < to ? c.ipa : to;
}

static int annotate(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t desc)
{
	uint64_t reserve = 0, tables, to;
	int err = look(s2, op, step, desc, &tables, &to);

	if (!err && reserve_fill(s2, op->cookie, &reserve, tables))
		err = S2_E_NOMEM;
	if (err)
		return err;
	op->st.pos = put(s2, op, step, desc, &reserve, to);
	op->done = s2_ipa(op->st.pos);
	reserve_drain(s2, &reserve);
	return op->st.pos < op->st.ipa + op->st.size ? S2_MORE : 0;
}

/* How many tables it takes to open what is annotated around @edge; makes them if told. */
static unsigned open_edge(struct s2 *s2, uint64_t edge, uint64_t *reserve)
{
	struct step step = step_free(0);
	struct cursor c;

	cursor_start(&c, s2, &step, edge, edge + page_size(s2));
	while (edge & (cursor_size(&c) - 1)) {
		uint64_t *entry, d;
		bool gone;

		if (!cursor_read(&c, &entry, &d))
			continue;
		if (desc_note(d) && reserve)
			put_table(&c, entry, d, reserve, &gone);
		else
			return desc_note(d) ? tables_to(s2, edge, c.level) : 0;
	}
	return 0;
}

static int open_edges(struct s2 *s2, struct s2_op *op)
{
	uint64_t start = op->st.ipa, end = start + op->st.size, reserve = 0;
	unsigned n = open_edge(s2, start, NULL) + open_edge(s2, end, NULL);

	if (reserve_fill(s2, op->cookie, &reserve, n))
		return S2_E_NOMEM;
	if (n) {
		open_edge(s2, start, &reserve);
		open_edge(s2, end, &reserve);
		reserve_drain(s2, &reserve);
	}
	return 0;
}

int s2_annotate(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint64_t note, uint32_t flags,
		struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = check_range(s2, ipa.ipa, size);

	if (!S2_USE_NOTES)
		return S2_E_UNSUPPORTED;
	if (!err && flags)
		err = S2_E_FLAGS;
	if (!err && note >> S2_NOTE_BITS)
		err = S2_E_ATTR;
	if (!err)
		err = op_begin(s2, &op, &local, &step, OP_ANNOTATE, ipa.ipa, size, note,
			       flags);
	if (err)
		return err;
	if (note)
		return op_end(s2, op, &step,
			      annotate(s2, op, &step, desc_make_note(note)));
	err = open_edges(s2, op);
	if (!err)
		err = unmap_steps(s2, op, &step, S2_ONLY_NOTES | S2_DROP_EDGES, BY_RANGE);
	return op_end(s2, op, &step, err);
}
