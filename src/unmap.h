/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The four phases over one window of a range: unmap.c, for unmap, destroy, a replacing
 * map, annotations, and the flush of a batch.
 */
#ifndef STAGE2_SRC_UNMAP_H
#define STAGE2_SRC_UNMAP_H

#include "target.h"

/* What is invalidated: the range; the whole VMID; nothing. */
enum extent { BY_RANGE, WHOLE_VMID, NOTHING };

/* Flags beside those of s2_unmap(): what is mapped stays. With S2_KEEP_NOTES nothing
 * goes but empty tables. */
#define S2_ONLY_NOTES (1u << 31)

/*
 * A table that phase 1 of a shared call went down into. Another call may detach it
 * before the phases that follow, so they find it here and not from the root. The call is
 * in its read-side section, so the table is not freed.
 */
struct held {
	uint64_t *table;
	uint64_t at; /* the first address that it translates, plus its level */
};

/*
 * Nearly always they lie across an edge of the window: one for each edge and each level
 * below the root. A window that goes down into more tables ends there.
 */
#define HELD_MAX (2 * (S2_LEVELS - 1))

struct window {
	struct s2 *s2;
	struct step *step;
	struct s2_op *op;
	const struct target *target; /* a replacing map's: what is that already stays */
	uint64_t start, end;
	uint32_t flags;
	enum extent extent;
	/*
	 * Flags of tables below which phase 3 has something to clean. A waived clean is
	 * waived for this caller alone: what another owes is cleaned all the same (P14).
	 */
	uint64_t unclean;
	struct s2_batch *batch; /* which phases 2 to 4 are left to */
	/*
	 * The level of a table's entry that is taken apart to make room for a leaf of
	 * @target: all below goes. LAST_LEVEL: none.
	 */
	int apart;
	/* out: */
	uint64_t from, to; /* what was broken or met; all below @to is done */
	bool edge;	   /* a leaf that may not be broken reaches outside */
	bool emptied;	   /* a table may have been left empty: window_sweep() */
	/* between the phases: */
	struct s2_gather g;
	bool found; /* something for phases 3 and 4 */
	bool clean; /* something for phase 3 */
	unsigned n_held;
	struct held held[HELD_MAX];
};

void window_init(struct window *w, struct s2 *s2, struct s2_op *op, struct step *step,
		 uint64_t start, uint64_t end, uint32_t flags);
/* What is mapped stays: annotations go, and empty tables. */
static inline bool only_notes(const struct window *w)
{
	return (S2_USE_NOTES || S2_USE_TAGS || S2_USE_STEPS) && w->flags & S2_ONLY_NOTES;
}

/* All four phases, or in a batch the first. */
void window_run(struct window *w);
/* Detach the empty tables above addresses in [start, end) and release them. */
void window_sweep(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t start,
		  uint64_t end);
/* Windows until the step, or op's range, is at its end: 0, S2_MORE or an error. */
int unmap_steps(struct s2 *s2, struct s2_op *op, struct step *step, uint32_t flags,
		enum extent extent);

/* What an earlier step has parked is clean now, and gone. */
bool parked_done(struct s2 *s2, struct s2_op *op, struct step *step);

/* Phase 1: break.c. */
void break_window(struct window *w);
/* Phase 3; returns where it stopped: at a leaf that it has parked, or the end. */
uint64_t window_clean(struct window *w, uint64_t start, uint64_t end);
/* Phase 4. */
void window_release(struct window *w, uint64_t start, uint64_t end);
/* The barrier after cleans, if less than @bytes are left of the step's. */
void clean_barrier(struct s2 *s2, const struct step *step, uint64_t bytes);

/* Into the table below the entry under the cursor if the window holds one for it. */
static inline bool held_down(const struct window *w, struct cursor *c)
{
	if (!is_shared(c->step))
		return false;
	for (unsigned i = 0; i < w->n_held; i++) {
		const struct held *h = &w->held[i];

		if (h->at == cursor_base(c) + (unsigned)c->level + 1) {
			cursor_into(c, h->table);
			return true;
		}
	}
	return false;
}

/* ---- counted leaves: extra/counted.c ------------------------------------------ */

/*
 * What an entry was, leaf @d, has been broken, invalidated and cleaned by this call:
 * report it if it is counted. leaf_gone(): what the entry under the cursor was, of which
 * @d may be the marker.
 */
static inline void leaf_at_gone(const struct s2 *s2, void *cookie, uint64_t ipa,
				int level, uint64_t d)
{
	struct s2_mapping m;

	/* The constant: unoptimised, too, the port's function is not asked for. */
	if (!S2_USE_COUNTED || !desc_counted(s2, d))
		return;
	entry_describe(s2, ipa, level, d, &m);
	/* Of a parked leaf some address bits count. */
	s2_port_leaf_gone(s2->port, cookie, m.ipa.ipa, m.pa.pa & ~(m.size - 1), m.size,
			  m.attr);
}

void leaf_gone(const struct cursor *c, uint64_t d);
/* Report what this call has broken in [start, end), before it is released. */
void window_tell(struct window *w, uint64_t start, uint64_t end);
/*
 * A counted leaf has been put into the entry under the cursor, beside others. Who has
 * detached a table above may have looked there before: one of the two finds the other.
 */
void tell_late(const struct cursor *c);

#endif /* STAGE2_SRC_UNMAP_H */
