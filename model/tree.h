/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files about reachable entries share. They call downwards only: tree.c (what
 * a store does to an entry), made.c (entries that become reachable), broken.c (entries
 * that stop being so).
 */
#ifndef STAGE2_MODEL_TREE_H
#define STAGE2_MODEL_TREE_H

#include "internal.h"

/* A depth-first walk through tables, without recursion. */
struct walk {
	struct {
		struct page *p;
		unsigned slot;
	} at[LEVELS];
	int depth;
	unsigned entries; /* in one table */
};

static inline void walk_push(struct walk *w, struct page *p)
{
	w->at[w->depth].p = p;
	w->at[w->depth++].slot = 0;
}

/* The next entry: its page, and its number in *slot; NULL at the end. */
static inline struct page *walk_next(struct walk *w, unsigned *slot)
{
	while (w->depth && w->at[w->depth - 1].slot == w->entries)
		w->depth--;
	if (!w->depth)
		return NULL;
	*slot = w->at[w->depth - 1].slot++;
	return w->at[w->depth - 1].p;
}

static inline uint64_t slot_ipa(const struct machine *m, const struct page *p,
				unsigned slot)
{
	return p->ipa + slot * span(m, p->level);
}

/*
 * The level of FEAT_BBM that the program may use: 0 if conflicts are not handled; no more
 * than the other agent has.
 */
static inline unsigned bbm(const struct machine *m)
{
	uint32_t all = m->features & (m->features & S2M_AGENT ? ~m->agent_lacks : ~0u);

	if (!(m->features & S2M_CONFLICTS))
		return 0;
	return all & S2M_BBM2 ? 2 : all & S2M_BBM1 ? 1 : 0;
}

/* ---- broken.c */

/* clang-format off */
/* Translations that become stale by one event. */
struct stale {
	struct machine *m;
	struct tree *t;
	unsigned pe;
	enum state state;
	uint16_t flags;
	uint64_t retired; /* if no PE can hold it: a clean must be later than this */
	const struct page *limbo; /* the detached table that it was made in, if it was */
	struct rec run;	  /* neighbouring leaves, to be added as one record */
	bool any;	  /* run is not empty */
	bool cached;	  /* may_be_cached() of run */
	bool mapped;	  /* it was live until now */
};
/* clang-format on */

/* F_* of a leaf. */
uint16_t leaf_flags(const struct machine *m, const struct tree *t, const struct desc *d);
/* A PE may hold the leaf d in its TLB. */
bool may_be_cached(const struct machine *m, const struct tree *t, const struct desc *d);
/* Leaf d is stale. Neighbouring leaves are collected in s->run until stale_flush(). */
void stale_leaf(struct stale *s, uint64_t ipa, int level, const struct desc *d);
void stale_flush(struct stale *s);
/* The table entry for ipa that points to pa is stale. */
void stale_table(struct stale *s, uint64_t ipa, int level, uint64_t pa);
/* No live entry points to table top any more: all entries in it and below are stale. */
void stale_below(struct stale *s, struct page *top);
/* The leaf d at ipa is not live any more. */
void leaf_broken(struct machine *m, struct tree *t, uint64_t ipa, const struct desc *d);
/* Entry slot of p, which was d, is invalid now. */
void entry_broken(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		  const struct desc *d);

/* ---- made.c */

/* Links the table at pa to entry slot of p; NULL after a verdict if that is wrong. */
struct page *link_child(struct machine *m, unsigned pe, struct page *p, unsigned slot,
			uint64_t pa);
/* Drops older records that are complete or say the same as the leaf d, which is live. */
void forget_older(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa, int level,
		  const struct desc *d);
/* The leaf d is made in a detached table, which PEs may reach. */
void leaf_in_limbo(struct machine *m, struct tree *t, unsigned pe, uint64_t ipa,
		   int level, const struct desc *d);
/* Entry slot of p, which was invalid, is d now. */
void entry_made(struct machine *m, unsigned pe, struct page *p, unsigned slot,
		const struct desc *d, enum how how);

#endif /* STAGE2_MODEL_TREE_H */
