/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The beginning and the end of a batch. The flush is phases 2 to 4 of all that the batch
 * has broken: one invalidation, then the cleans, then every range is released.
 */
#include "internal.h"

int s2_batch_begin(struct s2 *s2, struct s2_batch *b)
{
	unsigned tag;

	if (!S2_USE_BATCH)
		return S2_E_UNSUPPORTED;
	if (s2->batch)
		return S2_E_BATCH;
	tag = tag_new(s2);
	if (!tag)
		return S2_E_BUSY;
	b->places = b->ranges = 0;
	b->tag = (uint8_t)tag;
	s2->batch = b;
	return 0;
}

/*
 * Ranges that each lie inside one table of leaves, which is still there: what
 * window_release() does, by one walk, one loop and one count. @mark: of the batch.
 */
static bool release_leaves(struct window *w, uint64_t mark, uint64_t ipa, uint64_t end)
{
	struct s2 *s2 = w->s2;
	uint64_t pages = (end - ipa) >> page_shift(s2), n = 0, *meta;
	const uint64_t *last;
	struct place p;

	/* The root's tables have a metadata word each, as in page.c. */
	if (s2->special & S2_SHALLOW ||
	    (ipa ^ (end - 1)) >> level_shift(s2, LAST_LEVEL - 1))
		return false;
	p = walk(s2, ipa);
	if (p.level != LAST_LEVEL)
		return false;
	meta = table_meta(s2, p.table);
	for (last = p.entry + pages - 1;; p.d = s2_port_load(s2->port, p.entry)) {
		if ((p.d & DESC_MARK) == mark) {
			s2_port_store(s2->port, p.entry, 0);
			n++;
		}
		if (p.entry++ == last)
			break;
	}
	meta[META_STATE] -= n * META_BUSY_ONE;
	w->emptied |= !(meta[META_STATE] & META_COUNTS);
	return true;
}

/*
 * Phases 2 to 4; whether a table may have been left empty. Not inline: the sweep has a
 * window of its own.
 */
static __attribute__((__noinline__)) bool finish_all(struct s2 *s2, struct s2_batch *b,
						     struct s2_op *op, struct step *step)
{
	struct window w;
	uint64_t bytes = step->bytes, mark = desc_make_busy(0, b->tag);
	uint64_t start = UINT64_MAX, end = 0;

	window_init(&w, s2, op, step, 0, 0, 0);
	invalidate_places(s2, b->place, b->places);
	step->tag = b->tag;
	for (unsigned i = 0; i < b->ranges; i++)
		if (b->range[i].clean)
			window_clean(&w, b->range[i].start, b->range[i].end);
	clean_barrier(s2, step, bytes);
	/* Once: what one range has broken may be in a table that went with another. */
	for (unsigned i = 0; i < b->ranges; i++) {
		start = b->range[i].start < start ? b->range[i].start : start;
		end = b->range[i].end > end ? b->range[i].end : end;
	}
	if (S2_USE_COUNTED)
		window_tell(&w, start, end);
	for (unsigned i = 0; i < b->ranges; i++) {
		start = b->range[i].start;
		end = b->range[i].end;
		if (!release_leaves(&w, mark, start, end))
			window_release(&w, start, end);
	}
	return w.emptied;
}

int s2_batch_flush(struct s2 *s2, struct s2_batch *b, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	bool emptied;
	uint8_t tag;
	int err;

	if (!S2_USE_BATCH)
		return S2_E_UNSUPPORTED;
	if (s2->batch != b)
		return S2_E_BATCH;
	err = op_begin(s2, &op, &local, &step, OP_FLUSH, 0, 0, 0, 0);
	if (err)
		return err;
	tag = step.tag;
	emptied = finish_all(s2, b, op, &step);
	step.tag = 0;
	for (unsigned i = 0; emptied && i < b->ranges; i++)
		window_sweep(s2, op, &step, b->range[i].start, b->range[i].end);
	step.tag = tag;
	b->places = b->ranges = 0;
	drain_own(s2, op, &step);
	return op_end(s2, op, &step, 0);
}

int s2_batch_end(struct s2 *s2, struct s2_batch *b, struct s2_op *op)
{
	int ret = s2_batch_flush(s2, b, op);

	if (ret)
		return ret;
	s2->batch = NULL;
	tag_free(s2, b->tag);
	return 0;
}
