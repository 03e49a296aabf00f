/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of one entry or one table on which the operations are built: entry.c. It
 * calls no other file of the engine but op.c.
 */
#ifndef STAGE2_SRC_ENTRY_H
#define STAGE2_SRC_ENTRY_H

#include "gather.h"

/*
 * Break the valid entry under the cursor, a leaf or a whole table: put @marker there, as
 * busy and with the call's tag, and gather it. False if the entry has changed since it
 * was read, or when there is no tag (then step->wait is set).
 */
bool break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct s2_gather *g);

/*
 * Mark a table dead in which nothing is live, noted or broken by others (@own entries are
 * the caller's). True when nothing may be put into it any more. Who puts something into
 * a table counts it first and backs off when the table is dead, so one of the two sees
 * the other.
 */
bool table_kill(const struct cursor *c, uint64_t *meta, unsigned own);
/* Take it back; returns what the state word was. */
uint64_t table_revive(const struct cursor *c, uint64_t *meta);

/*
 * Put @new, a valid leaf or table, into the place of @d, which is empty or a note. Beside
 * others false if the place has been taken meanwhile; *gone if the table is dead and no
 * place in it is of use any more.
 */
bool put_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t new, bool *gone);
/*
 * Link a table from *reserve at the entry under the cursor, which is @d, and go down
 * into it. If the place has been taken meanwhile, the table is back in the reserve, and
 * *gone as put_entry() says.
 */
void put_table(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t *reserve,
	       bool *gone);

/* What s2_lookup() says of entry @d: inspect.c. */
void entry_describe(const struct s2 *s2, uint64_t ipa, int level, uint64_t d,
		    struct s2_mapping *m);

/*
 * Only the owner of a marker replaces it. A parked leaf has none: its tag is 0, as that
 * of a shared call which has broken nothing yet.
 */
bool releases(const struct cursor *c, uint64_t d);

/* Put a detached table on a limbo list. */
void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level);
/* Free what the op has put in its own limbo; false when the budget ended it. */
bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step);

/* ---- logs of dirty pages: extra/log.c ---------------------------------------------- */

/* Whether a log has a bit for every page of the entry under the cursor. */
bool log_covers(const struct cursor *c, const struct s2_dirty_log *log);
/* A bit for every page of it that the log has one for. */
void log_leaf(const struct cursor *c, struct s2_dirty_log *log);
/*
 * The leaf under the cursor was @d, the last that hardware had to say of it, and is
 * @now: if it was dirty and is not any more, the caller's log has to know.
 */
void log_harvest(const struct cursor *c, uint64_t d, uint64_t now);

static inline void harvest(const struct cursor *c, uint64_t d, uint64_t now)
{
	if (log_of(c->step->op))
		log_harvest(c, d, now);
}

#endif /* STAGE2_SRC_ENTRY_H */
