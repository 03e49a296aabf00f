/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a loop over the tree is, and what it may do to the entry there.
 */
#ifndef STAGE2_SRC_CURSOR_H
#define STAGE2_SRC_CURSOR_H

#include "step.h"

/*
 * A position: the entry at @level that translates @ipa, and the path to it. It never
 * recurses. A loop over it ends when ipa reaches end; every turn either goes down one of
 * at most four levels or moves ipa up by at least one page, so the range bounds it.
 */
struct cursor {
	struct s2 *s2;
	struct step *step;
	uint64_t *table[S2_LEVELS];
	uint64_t ipa, end;
	int level;
	unsigned shift; /* an entry at the level translates 1 << shift bytes */
};

static inline void cursor_start(struct cursor *c, struct s2 *s2, struct step *step,
				uint64_t ipa, uint64_t end)
{
	c->s2 = s2;
	c->step = step;
	c->ipa = ipa;
	c->end = end;
	c->level = s2->start_level;
	c->shift = s2->start_shift;
	c->table[c->level] = s2->root;
}

static inline bool cursor_more(const struct cursor *c)
{
	return c->ipa < c->end && (!S2_USE_STEPS || c->step->entries);
}

uint64_t *cursor_entry(const struct cursor *c);

/* Visits are counted where an operation has a budget of them. */
static inline void step_visits(struct step *step, uint64_t n)
{
	if (S2_USE_STEPS)
		step->entries -= n;
}

/* Read the entry, which is a visit. */
static inline uint64_t cursor_load(const struct cursor *c, const uint64_t *entry)
{
	step_visits(c->step, 1);
	return s2_port_load(c->s2->port, entry);
}

/* The metadata of the table on the path; of the right one of the root's tables. */
uint64_t *cursor_meta(const struct cursor *c);

/*
 * Put @new in the place of @old. False if that is there no more: only a shared call
 * may find so, or one on an entry that hardware may write (@racy).
 */
bool cursor_swap(const struct cursor *c, uint64_t *entry, uint64_t old, uint64_t new,
		 bool racy);

/* Whether hardware may write the entry: leaves, for their access flag and dirty state. */
static inline bool cursor_racy(const struct cursor *c, uint64_t d)
{
	return hw_writes(c->s2) && desc_valid_leaf(d, c->level) && desc_hw_writes(d);
}

/* Count in the state word of the entry's table; returns what it was. */
uint64_t state_add(const struct cursor *c, uint64_t *meta, uint64_t delta);

/* Put flags into the state word before what they tell of is put into the table. */
void state_flag(const struct cursor *c, uint64_t *meta, uint64_t flags);

static inline void count_made(const struct cursor *c, int level)
{
	if (is_shared(c->step))
		s2_port_word_add(c->s2->port, &c->s2->made[level], 1);
	else
		c->s2->made[level]++;
}

/* Bytes that the entry translates. */
static inline uint64_t cursor_size(const struct cursor *c)
{
	return UINT64_C(1) << c->shift;
}

/* The first of them. */
static inline uint64_t cursor_base(const struct cursor *c)
{
	return c->ipa >> c->shift << c->shift;
}

/* One past the last byte. */
static inline uint64_t cursor_past(const struct cursor *c)
{
	return cursor_base(c) + cursor_size(c);
}

/* Whether all that the entry translates lies inside [ipa, end). */
bool cursor_covers(const struct cursor *c);

/* Where the cursor's loop has come to: the end at most. */
static inline uint64_t cursor_at(const struct cursor *c)
{
	return c->ipa < c->end ? c->ipa : c->end;
}

/*
 * How many entries there are from the one under the cursor to the end of its table or
 * of the range (without one that straddles it), at most @visits: for loops over a table.
 */
uint64_t cursor_run(const struct cursor *c, uint64_t visits);

/* On by @n entries of the same table. */
static inline void cursor_on(struct cursor *c, uint64_t n)
{
	c->ipa = cursor_base(c) + (n << c->shift);
}

/* Down into the table below the entry, which is @d; into @table. */
void cursor_down(struct cursor *c, uint64_t d);
void cursor_into(struct cursor *c, uint64_t *table);

static inline void cursor_up(struct cursor *c)
{
	c->level--;
	c->shift += table_bits(c->s2);
}

/* Whether the entry is the last of its table. */
static inline bool cursor_last(const struct cursor *c)
{
	return !(cursor_past(c) & ((cursor_size(c) << table_bits(c->s2)) - 1));
}

/* On to the next entry, up as far as needed. */
void cursor_next(struct cursor *c);

/*
 * Read the entry; if it is a valid table go down and return false, so that a loop can
 * continue.
 */
bool cursor_read(struct cursor *c, uint64_t **entry, uint64_t *d);

/* The same to the entry that translates c->ipa, and no further. */
uint64_t cursor_find(struct cursor *c);

/* ---- the walk -------------------------------------------------------------------
 *
 * From the root to the entry that translates one address, and no further, for calls that
 * need neither a way back nor a budget. One load for each level; what is read in a table
 * comes after its address was read (address dependency).
 */
struct place {
	uint64_t *table, *entry;
	uint64_t d; /* what it was */
	int level;
};

/*
 * For the constants that it is called with. Unoptimised it would only take stack, and at
 * -Os only room: there one walk serves all.
 */
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define S2_INLINE static inline __attribute__((__always_inline__))
/* For large locals. Inlined, they are on the stack of all that the caller calls, too. */
#define S2_APART static __attribute__((__noinline__))
#else
#define S2_INLINE static inline
#define S2_APART static
#endif

#define S2_FALLTHROUGH __attribute__((__fallthrough__))

/*
 * Where leaves from @at on stop to continue @d: the same attributes, addresses that
 * follow it by @size each, which may be negative. The loop itself would be half of the
 * work: four in a turn.
 */
S2_INLINE uint64_t *leaves_from(const struct s2 *s2, uint64_t *at, const uint64_t *end,
				uint64_t d, uint64_t size)
{
	void *port = s2->port;

	/*
	 * The top bits of an address of 52 are not above the others: a sum that reaches
	 * them is no leaf's, and the loop ends.
	 */
	for (uint64_t *last = at + ((end - at) & ~3); at != last; at += 4) {
		d += size;
		if (s2_port_load(port, &at[0]) != d)
			return &at[0];
		d += size;
		if (s2_port_load(port, &at[1]) != d)
			return &at[1];
		d += size;
		if (s2_port_load(port, &at[2]) != d)
			return &at[2];
		d += size;
		if (s2_port_load(port, &at[3]) != d)
			return &at[3];
	}
	while (at < end && s2_port_load(port, at) == (d += size))
		at++;
	return at;
}

/* Into the table that @d is, which is at @level. */
S2_INLINE void walk_down(const struct s2 *s2, void *port, uint64_t mask, unsigned wide,
			 uint64_t ipa, int level, struct place *p)
{
	uint64_t i = ipa >> level_shift(s2, level) & (table_entries(s2) - 1);

	p->table = s2_port_table_va(port, desc_oa_in(mask, wide, p->d));
	p->entry = &p->table[i];
	p->d = s2_port_load(port, p->entry);
	p->level = level;
}

/* By levels written out: in a build for one granule every shift is a constant. */
S2_INLINE struct place walk_in(const struct s2 *s2, uint64_t ipa, unsigned wide)
{
	struct place p = { .table = s2->root, .level = s2->start_level };
	uint64_t mask = desc_oa_mask(s2);
	void *port = s2->port;

	p.entry = &p.table[ipa >> s2->start_shift];
	p.d = s2_port_load(port, p.entry);
	switch (p.level) {
	case 0:
		if (!desc_walks(p.d))
			break;
		walk_down(s2, port, mask, wide, ipa, 1, &p);
		S2_FALLTHROUGH;
	case 1:
		if (!desc_walks(p.d))
			break;
		walk_down(s2, port, mask, wide, ipa, 2, &p);
		S2_FALLTHROUGH;
	case 2:
		if (!desc_walks(p.d))
			break;
		walk_down(s2, port, mask, wide, ipa, 3, &p);
	}
	return p;
}

struct place walk_any(const struct s2 *s2, uint64_t ipa);

/*
 * S2_USE_HINT: from the table of leaves that a page before was in. Each call that may
 * detach a table forgets it first: op_begin().
 */
S2_INLINE bool walk_on(const struct s2 *s2, uint64_t ipa, struct place *p)
{
	if (!s2->hint || (ipa ^ s2->hint_ipa) >> level_shift(s2, LAST_LEVEL - 1))
		return false;
	p->table = s2->hint;
	p->entry = &p->table[ipa >> page_shift(s2) & (table_entries(s2) - 1)];
	p->d = s2_port_load(s2->port, p->entry);
	p->level = LAST_LEVEL;
	return true;
}

static inline void hint_keep(struct s2 *s2, uint64_t ipa, uint64_t *table)
{
	if (S2_USE_HINT) {
		s2->hint = table;
		s2->hint_ipa = ipa;
	}
}

S2_INLINE struct place walk(const struct s2 *s2, uint64_t ipa)
{
	struct place p;

	if (S2_USE_HINT && walk_on(s2, ipa, &p))
		return p;
	if (!S2_USE_FAST)
		return walk_any(s2, ipa);
	return wide_of(s2) ? walk_in(s2, ipa, s2->wide) : walk_in(s2, ipa, S2_WIDE_NO);
}

#endif /* STAGE2_SRC_CURSOR_H */
