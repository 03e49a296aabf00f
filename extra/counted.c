/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counted leaves (s2_config.counted): the port hears of each that has gone, after it has
 * been broken, invalidated and cleaned, and before its entry is free again.
 */
#include "internal.h"

void leaf_gone(const struct cursor *c, uint64_t d)
{
	leaf_at_gone(c->s2, c->step->op->cookie, c->ipa, c->level, desc_before(d));
}

/*
 * Who puts a counted leaf below the detached table @d from now on reports it himself
 * (tell_late()). Whether there may be any.
 */
static bool table_told(const struct s2 *s2, uint64_t d)
{
	uint64_t *meta = table_meta(s2, table_of(s2, d));
	uint64_t old = s2_port_word_or(s2->port, &meta[META_STATE], META_TOLD);

	return old & META_COUNTED && old & META_COUNTS;
}

/*
 * Report the counted leaves that this call has broken, and those in tables that it has
 * detached, which are below level @detached. Beside others each of these is swapped
 * first, for a marker that makes late calls wait, so only one call reports it. What
 * others have broken they report, by the tables that they hold. But a split reports
 * nothing: its parts are in the table of its marker. A table that has no such leaves is
 * not read.
 */
static void tell(const struct window *w, struct cursor *c, int detached)
{
	struct s2 *s2 = c->s2;

	while (cursor_more(c)) {
		uint64_t *entry = cursor_entry(c), d = cursor_load(c, entry);
		bool own = releases(c, d), below = c->level > detached;
		bool mine = own || (below && (desc_valid(d) || desc_parked(d)));

		if (w && held_down(w, c))
			continue;
		if ((desc_valid(d) || desc_busy(d)) && desc_is_table(d, c->level)) {
			if (mine || (below && d & DESC_REMAKE) ?
				    table_told(s2, d) :
				    desc_valid(d) && !is_shared(c->step) &&
					    state_below(s2, d) & META_COUNTED) {
				if (own && !below)
					detached = c->level;
				cursor_down(c, d);
				continue;
			}
		} else if (mine && desc_counted(s2, desc_before(d))) {
			if (below && is_shared(c->step) &&
			    s2_port_cas(s2->port, entry, d, desc_make_told(d)) != d)
				continue;
			leaf_gone(c, d);
		}
		cursor_next(c);
		if (c->level <= detached)
			detached = LAST_LEVEL;
	}
	S2_ASSERT(c->ipa >= c->end);
}

void window_tell(struct window *w, uint64_t start, uint64_t end)
{
	struct cursor c;

	cursor_start(&c, w->s2, w->step, start, end);
	if (w->s2->counted)
		tell(w, &c, LAST_LEVEL);
}

void tell_late(const struct cursor *c)
{
	struct cursor here = *c;
	uint64_t told = 0;

	for (int l = c->s2->start_level + 1; l <= c->level; l++)
		told |= s2_port_word_or(c->s2->port,
					&table_meta(c->s2, c->table[l])[META_STATE], 0);
	here.ipa = cursor_base(c);
	here.end = cursor_past(c);
	if (told & META_TOLD)
		tell(NULL, &here, -1);
}
