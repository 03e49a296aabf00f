/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Annotations in the differential run. How large the entries are that they are in
 * depends on the tables that there happen to be, and so does what an unmap of part of
 * such an entry leaves: so the engine is followed, and judged for each change.
 */
#include <inttypes.h>

#include "internal.h"
#include "world.h"

const uint64_t note_value[4] = { 0, 1, 5, (UINT64_C(1) << S2_NOTE_BITS) - 1 };

static unsigned mark(uint64_t d, int level)
{
	unsigned i = 0;

	(void)level;
	if (!desc_note(d))
		return 0;
	while (i < 4 && desc_make_note(note_value[i]) != d)
		i++;
	return i;
}

/* What a piece from @at on says, which ends at *end at the latest; 0: nothing. */
static unsigned note_at(const struct flat *f, uint64_t at, uint64_t *end)
{
	const struct flat_run *r = flat_at(f, at);

	if (r && r->ipa > at && r->ipa < *end)
		*end = r->ipa;
	if (!r || r->ipa > at)
		return 0;
	if (r->end < *end)
		*end = r->end;
	return r->attr;
}

/* Whether all of it is mapped or busy. */
static bool taken(const struct flat *f, uint64_t lo, uint64_t hi)
{
	const struct flat_run *r;

	for (; lo < hi; lo = r->end) {
		r = flat_at(f, lo);
		if (!r || r->ipa > lo)
			return false;
	}
	return true;
}

/* Whether the call may have made @now of @old in [lo, hi) of its range. */
static bool may_change(const struct world *w, const struct call *c, uint64_t lo,
		       uint64_t hi, uint64_t done, unsigned now)
{
	if (lo < c->ipa || hi > c->ipa + c->size)
		return false;
	/* What is replaced goes a step before. */
	if (c->kind->note == NOTE_SETS)
		return now == c->note ? !c->note || !c->with_op || hi <= done :
					!now && c->flags & S2_MAP_REPLACE;
	if (c->kind->note == NOTE_DROPS)
		return !now && !(c->flags & S2_KEEP_NOTES);
	/* A table that a block is to replace goes, with what is in it, a step before. */
	return c->kind->note == NOTE_MAPS && !now &&
	       (c->flags & S2_MAP_REPLACE || taken(&w->flat, lo, hi));
}

/* Whether [lo, hi) may say @now when the call is done with it. */
static bool may_stay(const struct world *w, const struct call *c, uint64_t from,
		     uint64_t at, unsigned now)
{
	struct s2_mapping m;

	if (c->kind->note == NOTE_SETS)
		return now == c->note;
	if (c->kind->note != NOTE_DROPS || !now || c->flags & S2_KEEP_NOTES)
		return true;
	/* Of an entry that is only partly in what is left of the range. */
	return !s2_lookup(&w->s2, s2_ipa(at), &m) && m.state == S2_NOTE &&
	       (m.ipa.ipa < from || m.ipa.ipa + m.size > c->ipa + c->size);
}

bool notes_step(struct world *w, const struct call *c, uint64_t from, uint64_t to)
{
	static struct flat now;

	if (!w->noted)
		return true;
	flat_read_marks(&now, &w->s2, c->from, c->to, mark);
	for (uint64_t at = c->from, end; at < c->to; at = end) {
		unsigned was, is;

		end = at < c->ipa	    ? c->ipa :
		      at < from		    ? from :
		      at < to		    ? to :
		      at < c->ipa + c->size ? c->ipa + c->size :
					      c->to;
		was = note_at(&w->notes, at, &end);
		is = note_at(&now, at, &end);
		if (was != is && !may_change(w, c, at, end, to, is))
			return world_wrong(w,
					   "%s: annotation %u of 0x%" PRIx64 " is now %u",
					   c->kind->name, was, at, is);
		if (at >= from && at < to && !may_stay(w, c, from, at, is))
			return world_wrong(w, "%s: annotation %u of 0x%" PRIx64 " stays",
					   c->kind->name, is, at);
	}
	flat_take(&w->notes, &now, c->from, c->to);
	return true;
}

bool notes_settle(struct world *w)
{
	static struct flat now;
	uint64_t all = UINT64_C(1) << w->s2.ipa_bits;

	if (!w->noted)
		return true;
	flat_read_marks(&now, &w->s2, 0, all, mark);
	for (uint64_t at = 0, end; at < all; at = end) {
		end = all;
		if (note_at(&w->notes, at, &end) != note_at(&now, at, &end))
			return world_wrong(w, "0x%" PRIx64 " has another annotation", at);
	}
	return true;
}
