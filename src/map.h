/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A map under way, and what it has found in its window: map.c, and replace.c for what is
 * there already.
 */
#ifndef STAGE2_SRC_MAP_H
#define STAGE2_SRC_MAP_H

#include "unmap.h"

/* One s2_map(), or one s2_annotate() that sets a value. */
struct map {
	struct s2 *s2;
	struct s2_op *op;
	struct step *step;
	struct target t;
	uint64_t pos, end; /* the window */
	uint64_t reserve;  /* tables taken and not used yet */
	bool counted;	   /* an entry in a table that may be empty again */
	uint64_t *needed;  /* only ask how many tables it takes: s2_tables_needed() */
};

/* An annotation, not leaves: s2_annotate(). */
static inline bool is_note(const struct map *m)
{
	return S2_USE_NOTES && m->t.note;
}

static inline bool asks(const struct map *m)
{
	return S2_USE_REPLACE && m->needed;
}

/* What a look at a window found. */
struct found {
	uint64_t tables;     /* to be taken */
	bool fresh;	     /* an entry becomes valid or gets another address */
	bool taken;	     /* something must be broken first */
	bool noted;	     /* an entry is not empty, but annotated */
	bool below;	     /* a table is where a leaf would be made */
	bool present;	     /* a leaf stays, at least its address and type */
	bool changed;	     /* permissions change in place */
	bool executable;     /* ... execute among them */
	uint64_t start, end; /* a block across that edge is in the way; or 0 */
	/* Exclusively, all are pages in place: */
	bool uniform;
	uint64_t n;	    /* so many change */
	struct s2_gather g; /* what must be invalidated */
};

/* In place, and so many of them that a loop is worth it. */
static inline bool uniform(const struct found *f)
{
	return S2_USE_FAST && f->uniform;
}

/* The level of the leaf to be made under the cursor: a table that is there stays. */
static inline int leaf_level(const struct map *m, const struct cursor *c)
{
	int want = target_level(m->s2, &m->t, c->ipa);

	return c->level > want ? c->level : want;
}

/*
 * A table with nothing in it, left by a replacement that has not gone on yet, is nothing
 * that is mapped.
 */
static inline bool table_empty(const struct cursor *c, uint64_t d)
{
	return desc_valid_table(d, c->level) && !(state_below(c->s2, d) & META_COUNTS);
}

/*
 * Whether a table is gone down into: it is above the leaf that is made here, or the same
 * memory may be mapped below it by smaller ones, which stay.
 */
static inline bool looks_below(const struct map *m, const struct cursor *c, uint64_t d,
			       int want)
{
	return c->level < want ||
	       (S2_USE_IN_PLACE && !table_empty(c, d) && !(m->t.flags & S2_MAP_REPLACE));
}

/* Look at a leaf that stays and becomes @new, and at pages behind that continue it. */
void look_in_place(const struct map *m, struct cursor *c, uint64_t *entry, uint64_t d,
		   uint64_t new, struct found *f);
/* Change it. False if the entry has to be read again. */
bool make_in_place(const struct map *m, struct cursor *c, uint64_t *entry, uint64_t d,
		   uint64_t new, struct s2_gather *g);
/* Break what is in the way of the window, and finish it: 0, S2_MORE or an error. */
int clear_way(struct map *m);

#endif /* STAGE2_SRC_MAP_H */
