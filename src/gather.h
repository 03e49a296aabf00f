/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * struct s2_gather: what has been changed and not been invalidated yet. It is one
 * interval around all of it, and what the planner may know about the leaves in it.
 */
#ifndef STAGE2_SRC_GATHER_H
#define STAGE2_SRC_GATHER_H

#include "cursor.h"

void gather_add(struct s2_gather *g, uint64_t ipa, uint64_t size, uint64_t stride);

void gather_leaf(struct s2_gather *g, const struct cursor *c);

/*
 * An entry that is broken, or busy: a leaf, or a table with leaves of any size below.
 * Every cached copy of a table entry on the way must go: the whole span, no level hint.
 */
void gather_entry(struct s2_gather *g, const struct cursor *c, uint64_t d);

/*
 * Phase 2 of everything: make what was gathered unusable by every PE and every
 * other agent before returning. Nothing gathered: no barrier, no TLBI. The two that
 * return int are for calls without an op: 0 or S2_E_AGENTS.
 */
void invalidate(struct s2 *s2, const struct step *step, const struct s2_gather *g);
/* The same for one page, under the lock: not above a table that was removed. */
int invalidate_page(struct s2 *s2, uint64_t ipa);
/* The same for the whole VMID, whatever was gathered. */
void invalidate_all(struct s2 *s2);
/* The same for several intervals; more than S2_PLAN_OPS mean the whole VMID. */
void invalidate_places(struct s2 *s2, const struct s2_gather *place, unsigned n);
/* This PE's copies of one leaf, which only lacked permissions. */
int invalidate_local(struct s2 *s2, uint64_t ipa, int level);

#endif /* STAGE2_SRC_GATHER_H */
