/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Owners' annotations: values in entries that map nothing. No PE caches an invalid
 * entry, so nothing here needs an invalidation but a table that has become empty, and
 * that is an unmap's work.
 */
#include "internal.h"

/* What is annotated around @edge becomes tables, until it is between two entries. */
static void open_edge(struct s2 *s2, uint64_t edge, uint64_t *reserve)
{
	struct step step = step_free(0);
	struct cursor c;
	uint64_t *entry, d;
	bool gone;

	cursor_start(&c, s2, &step, edge, edge + page_size(s2));
	while (edge & (cursor_size(&c) - 1)) {
		if (!cursor_read(&c, &entry, &d))
			continue;
		if (!desc_note(d))
			return;
		put_table(&c, entry, d, reserve, &gone);
	}
}

/* Of what is left: between two steps one may have been put across the place. */
static int open_edges(struct s2 *s2, struct s2_op *op)
{
	uint64_t start = op->st.pos, end = op->st.ipa + op->st.size, reserve = 0;

	if (reserve_fill(s2, op->cookie, &reserve, edges_need(s2, start, end, true)))
		return S2_E_NOMEM;
	open_edge(s2, start, &reserve);
	open_edge(s2, end, &reserve);
	reserve_drain(s2, &reserve);
	return 0;
}

/* Not inline: its op is not to be on the stack of a call that sets annotations. */
static __attribute__((__noinline__)) int clear_notes(struct s2 *s2, uint64_t ipa,
						     uint64_t size, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err = op_begin(s2, &op, &local, &step, OP_ANNOTATE, ipa, size, 0, 0);

	if (err)
		return err;
	err = open_edges(s2, op);
	if (!err)
		err = unmap_steps(s2, op, &step, S2_ONLY_NOTES | S2_DROP_EDGES, BY_RANGE);
	return op_end(s2, op, &step, err);
}

int s2_annotate(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint64_t note, uint32_t flags,
		struct s2_op *op)
{
	int err = check_range(s2, ipa.ipa, size);

	if (!S2_USE_NOTES)
		return S2_E_UNSUPPORTED;
	if (!err &&
	    (flags & ~(S2_MAP_REPLACE | S2_SPLIT_EDGES | S2_DROP_EDGES | S2_NO_CLEAN) ||
	     (flags & S2_SPLIT_EDGES && flags & S2_DROP_EDGES) ||
	     (flags && !(note && flags & S2_MAP_REPLACE))))
		err = S2_E_FLAGS;
	if (!err && note >> S2_NOTE_BITS)
		err = S2_E_ATTR;
	if (err)
		return err;
	return note ? map_note(s2, ipa.ipa, size, note, flags, op) :
		      clear_notes(s2, ipa.ipa, size, op);
}
