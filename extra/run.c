/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contiguous runs: a hint that a TLB may hold all members as one entry. A PE that finds
 * members that do not agree may use any of them for all, or abort [RLQLSD for the TLBIs:
 * each member needs its own address]; so the hint is taken from all before one changes.
 */
#include "internal.h"

/*
 * The run that @edge lies inside: its size, 0 if in none; *base: its first byte. Not
 * inline: one cursor at a time on the stack.
 */
static __attribute__((__noinline__)) uint64_t run_around(struct s2 *s2, uint64_t edge,
							 uint64_t *base)
{
	struct step step = step_free(0);
	struct cursor c;
	uint64_t d, size;

	/* The end of the IPA space is inside none. */
	if (edge >> s2->ipa_bits)
		return 0;
	cursor_start(&c, s2, &step, edge, edge + page_size(s2));
	d = cursor_find(&c);
	size = run_size(s2, c.level);
	if (!desc_valid(d) || !(d & DESC_CONT) || !(edge & (size - 1)))
		return 0;
	*base = edge & ~(size - 1);
	return size;
}

static __attribute__((__noinline__)) void break_members(struct s2 *s2, struct step *step,
							uint64_t base, uint64_t size,
							struct s2_gather *g)
{
	struct cursor c;

	cursor_start(&c, s2, step, base, base + size);
	while (cursor_more(&c)) {
		uint64_t *entry, d;

		/* Hardware may set an access flag between our load and our swap. */
		if (cursor_read(&c, &entry, &d) && break_entry(&c, entry, d, d, g))
			cursor_next(&c);
	}
}

/* Valid again, and no longer a run. The markers were made under the lock: untagged. */
static __attribute__((__noinline__)) void make_members(struct s2 *s2, struct step *step,
						       uint64_t base, uint64_t size)
{
	struct cursor c;

	cursor_start(&c, s2, step, base, base + size);
	while (cursor_more(&c)) {
		uint64_t *entry, d;

		if (!cursor_read(&c, &entry, &d))
			continue;
		s2_port_store(s2->port, entry,
			      (d & ~(DESC_BUSY | DESC_CONT)) | DESC_VALID);
		state_add(&c, cursor_meta(&c), META_LIVE_ONE - META_BUSY_ONE);
		cursor_next(&c);
	}
}

void run_break(struct s2 *s2, uint64_t edge)
{
	struct step step = step_free(0);
	struct s2_gather g = { 0 };
	uint64_t base = 0, size = run_around(s2, edge, &base);

	if (!size)
		return;
	break_members(s2, &step, base, size, &g);
	/*
	 * The old entries gone from every TLB before the new ones: the Contiguous bit is
	 * among what takes break-before-make.
	 */
	invalidate(s2, &step, &g);
	make_members(s2, &step, base, size);
	s2_port_dsb_ishst(s2->port);
}

void runs_widen(struct s2 *s2, uint64_t *start, uint64_t *end)
{
	uint64_t base, size;

	if (run_around(s2, *start, &base))
		*start = base;
	size = run_around(s2, *end, &base);
	if (size)
		*end = base + size;
}

bool run_fits(const struct cursor *c, uint64_t d, uint64_t visits, uint64_t bytes)
{
	uint64_t size;

	if (!(d & DESC_CONT))
		return true;
	size = run_size(c->s2, c->level);
	return c->ipa & (size - 1) || (visits >= size >> c->shift && bytes >= size);
}
