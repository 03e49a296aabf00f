/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Batches: many changes, one invalidation.
 *
 * What is broken in a batch keeps its markers, tagged with the batch's number, until
 * the flush: invalidate all of it at once, then clean and release (or link, what was
 * split) range by range. The ranges are remembered so that the flush need not search;
 * when there is no room for another one the batch flushes first.
 */
#include "internal.h"

int s2_batch_begin(struct s2 *s2, struct s2_batch *b)
{
	unsigned tag;

	if (s2->batch)
		return S2_E_BATCH;
	tag = tag_new(s2);
	if (!tag)
		return S2_E_BUSY;
	b->places = b->ranges = b->at = b->how = 0;
	b->phase = BATCH_OPEN;
	b->tag = (uint8_t)tag;
	s2->batch = b;
	s2->special |= S2_BATCHING;
	return 0;
}

/* Changes of one kind that follow each other are one place, or one range. */
void batch_gather(struct s2_batch *b, const struct s2_gather *g)
{
	struct s2_gather *last;

	if (g->start == g->end)
		return;
	last = b->places && b->places <= S2_PLAN_OPS ? &b->place[b->places - 1] : NULL;
	if (last && g->start <= last->end && g->end >= last->start &&
	    g->stride == last->stride) {
		gather_add(last, g->start, g->end - g->start, g->stride);
		last->levels |= g->levels;
		last->table |= g->table;
		return;
	}
	/* One more than there is room for: the whole VMID. */
	if (b->places < S2_PLAN_OPS)
		b->place[b->places] = *g;
	if (b->places <= S2_PLAN_OPS)
		b->places++;
}

void batch_range(struct s2_batch *b, uint64_t start, uint64_t end, uint8_t how)
{
	struct s2_batch_range *last = b->ranges ? &b->range[b->ranges - 1] : NULL;

	b->how |= how;
	if (last && start <= last->end && end >= last->start &&
	    !((how ^ last->how) & ~S2_BATCH_TABLE)) {
		last->how |= how;
		if (start < last->start)
			last->start = start;
		if (end > last->end)
			last->end = end;
		return;
	}
	b->range[b->ranges++] = (struct s2_batch_range){ start, end, how };
}

S2_APART void gather_page(struct s2_batch *b, uint64_t ipa, uint64_t size)
{
	struct s2_gather g = { .levels = 1u << LAST_LEVEL };

	gather_add(&g, ipa, size, size);
	batch_gather(b, &g);
}

void batch_page(struct s2_batch *b, uint64_t ipa, uint64_t size, uint8_t how)
{
	/* Pages come in order, or from all over, and then it is the whole VMID soon. */
	if (b->places <= S2_PLAN_OPS) {
		struct s2_batch_range *range = b->range + b->ranges;
		struct s2_gather *place = b->place + b->places;

		if (b->ranges && range[-1].end == ipa && range[-1].how == how &&
		    b->places && place[-1].end == ipa && place[-1].stride == size) {
			range[-1].end = place[-1].end = ipa + size;
			place[-1].levels |= 1u << LAST_LEVEL;
			return;
		}
		gather_page(b, ipa, size);
	}
	batch_range(b, ipa, ipa + size, how);
}

bool batch_remakes(const struct s2_batch *b, uint64_t ipa, uint64_t size)
{
	if (!(b->how & S2_BATCH_REMAKE))
		return false;
	for (unsigned i = 0; i < b->ranges; i++)
		if (b->range[i].how & S2_BATCH_REMAKE && b->range[i].start < ipa + size &&
		    b->range[i].end > ipa)
			return true;
	return false;
}

void batch_pending(const struct s2_batch *b, uint64_t ipa, uint64_t size,
		   struct s2_gather *g, uint64_t stride)
{
	bool met = b->places > S2_PLAN_OPS;

	for (unsigned i = 0; !met && i < b->places; i++)
		met = b->place[i].start < ipa + size && b->place[i].end > ipa;
	if (!met)
		return;
	/* Leaves of any level may be among it: no hint. */
	gather_add(g, ipa, size, stride);
	g->levels = 0xff;
}

/* To the next range, from its start. */
static void next_range(struct s2_batch *b, unsigned at)
{
	b->at = (uint8_t)at;
	if (at < b->ranges)
		b->inner.st.pos = b->range[at].start;
}

/* One barrier for the cleans of all ranges; false when the budget ended it. */
static bool clean_all(struct s2 *s2, struct s2_batch *b, struct step *step)
{
	uint64_t bytes = step->bytes;
	bool done = true;

	if (!(b->how & S2_BATCH_CLEAN))
		return true;
	for (; done && b->at < b->ranges; next_range(b, b->at + done)) {
		const struct s2_batch_range *r = &b->range[b->at];
		uint64_t end = r->end;

		if (r->how & S2_BATCH_CLEAN)
			end = clean_range(s2, &b->inner, step, end);
		done = end >= r->end;
		if (!done) {
			b->inner.st.pos = end;
			break;
		}
	}
	clean_barrier(s2, step, bytes);
	return done;
}

/*
 * Ranges that each lie inside one table of leaves, which is still there: what
 * release_range() does, by one walk, one loop and one count. Whether a leaf needs a clean
 * was known when it was broken, so it has had it. All of them, or up to one that has to
 * be looked at more closely.
 */
static void release_leaves(struct s2 *s2, struct s2_batch *b, struct step *step)
{
	const uint64_t mine = desc_make_busy(0, b->tag);
	const uint64_t whose = DESC_VALID | DESC_BUSY | DESC_REMAKE | DESC_TAGGED |
			       DESC_TAG;

	/* A root of leaves: left to the general way, as in page.c. */
	if (s2->special & S2_SHALLOW)
		return;
	for (; b->at < b->ranges; next_range(b, b->at + 1u)) {
		const struct s2_batch_range *r = &b->range[b->at];
		uint64_t from = b->inner.st.pos, n = 0;
		uint64_t pages = (r->end - from) >> page_shift(s2);
		const uint64_t *end;
		struct place p;

		if (r->how & (S2_BATCH_REMAKE | S2_BATCH_TABLE) ||
		    (from ^ (r->end - 1)) >> level_shift(s2, LAST_LEVEL - 1) ||
		    step->entries < S2_LEVELS + pages)
			return;
		p = walk(s2, from);
		step->entries -= (uint64_t)(p.level - s2->start_level) + 1;
		if (p.level != LAST_LEVEL)
			return;
		step->entries -= pages - 1;
		end = p.entry + pages;
		for (;;) {
			if ((p.d & whose) == mine) {
				s2_port_store(s2->port, p.entry, 0);
				n++;
			}
			if (++p.entry == end)
				break;
			p.d = s2_port_load(s2->port, p.entry);
		}
		table_meta(s2, p.table)[META_STATE] -= n * META_BUSY_ONE;
	}
}

static bool release_all(struct s2 *s2, struct s2_batch *b, struct step *step)
{
	struct s2_op *inner = &b->inner;

	for (;; next_range(b, b->at + 1u)) {
		struct s2_batch_range *r;

		release_leaves(s2, b, step);
		if (b->at == b->ranges)
			return true;
		r = &b->range[b->at];
		inner->st.clean = false;
		if (r->how & S2_BATCH_REMAKE)
			inner->st.pos = link_remade(s2, step, inner->st.pos, r->end);
		else
			inner->st.pos = release_range(s2, inner, step, r->end,
						      r->how & S2_BATCH_CLEAN,
						      r->how & S2_BATCH_WAIVED);
		/* Not known when it was broken: a table above has gone too. */
		if (inner->st.clean) {
			r->how |= S2_BATCH_CLEAN;
			b->how |= S2_BATCH_CLEAN;
			b->phase = BATCH_CLEAN;
		}
		if (inner->st.pos < r->end)
			return false;
	}
}

bool batch_finish(struct s2 *s2, struct s2_batch *b, struct s2_op *op, struct step *step)
{
	uint8_t tag = step->tag;
	bool done, again;

	if (b->phase == BATCH_OPEN) {
		invalidate_places(s2, b->place, b->places);
		b->places = 0;
		b->phase = BATCH_CLEAN;
		next_range(b, 0);
	}
	b->inner.limbo = op_limbo(op);
	step->tag = b->tag;
	step->hint_level = -1;
	/* Again when the release has found more to clean: once a range at most. */
	do {
		if (b->phase == BATCH_CLEAN && clean_all(s2, b, step)) {
			b->phase = BATCH_RELEASE;
			next_range(b, 0);
		}
		again = b->phase == BATCH_RELEASE;
		done = again && release_all(s2, b, step);
		again = again && !done && b->phase == BATCH_CLEAN;
	} while (again);
	step->tag = tag;
	if (!done)
		return false;
	b->ranges = b->how = 0;
	b->phase = BATCH_OPEN;
	return true;
}

int s2_batch_flush(struct s2 *s2, struct s2_batch *b, struct s2_op *op)
{
	struct s2_op local;
	struct step step;
	int err;

	if (s2->batch != b)
		return S2_E_BATCH;
	err = op_begin(s2, &op, &local, &step, OP_FLUSH, 0, 0, 0, 0);
	if (err)
		return err;
	if (!batch_finish(s2, b, op, &step) || !drain_own(s2, op, &step))
		return op_end(s2, op, &step, S2_MORE);
	return op_end(s2, op, &step, 0);
}

int s2_batch_end(struct s2 *s2, struct s2_batch *b, struct s2_op *op)
{
	int ret = s2_batch_flush(s2, b, op);

	if (ret)
		return ret;
	s2->batch = NULL;
	s2->special &= (uint8_t)~S2_BATCHING;
	tag_free(s2, b->tag);
	return 0;
}
