/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine's files share: a table's metadata word, the cursor, the
 * gather, the step. Data flows one way through them:
 *
 *   call -> cursor -> descriptor -> gather -> invalidate -> release
 */
#ifndef STAGE2_SRC_INTERNAL_H
#define STAGE2_SRC_INTERNAL_H

#include "port.h"
#include "names.h"
#include "desc.h"

/* ---- a table's metadata ------------------------------------------------------
 *
 * Two words. The first is a summary of the table, so that one whose last entry
 * goes is found without a scan (P11), and one that need not be read never is (P6):
 *
 *   [13:0]  live    entries that are valid, or will be again (DESC_REMAKE); others
 *                   that are busy are not
 *   [27:14] tables  entries that are a table, valid or busy
 *   [41:28] busy    entries that are busy
 *   [55:42] notes   empty entries that hold an owner's annotation
 *   [56]    clean   a leaf that needs cleaning was ever put in it or below it
 *   [57]    dead    about to be detached: nothing may be put in it any more
 *   [58]    dbm     a leaf whose dirty state hardware keeps was ever put in it or below
 *   [59]    noted   an annotation was ever put in it or below it
 *
 * The second is how many of a detached table's entries have been cleaned; of an
 * unlinked one (in limbo, in a reserve) the link to the next: PA | level | present.
 * Late lockless walkers may still count in the first while the second is used.
 */
enum { META_STATE, META_LINK, META_CLEANED = META_LINK };

#define META_FIELD UINT64_C(0x3fff)
#define META_LIVE_ONE UINT64_C(1)
#define META_TABLE_SHIFT 14
#define META_TABLE_ONE (UINT64_C(1) << META_TABLE_SHIFT)
#define META_BUSY_SHIFT 28
#define META_BUSY_ONE (UINT64_C(1) << META_BUSY_SHIFT)
#define META_NOTE_SHIFT 42
#define META_NOTE_ONE (UINT64_C(1) << META_NOTE_SHIFT)
/* All of them: 0 if nothing is in the table. */
#define META_COUNTS (META_CLEAN - 1)
#define META_CLEAN (UINT64_C(1) << 56)
#define META_DEAD (UINT64_C(1) << 57)
#define META_DBM (UINT64_C(1) << 58)
#define META_NOTED (UINT64_C(1) << 59)

#define LINK_LEVEL UINT64_C(3)
#define LINK_PRESENT (UINT64_C(1) << 2)
#define LINK_FLAGS UINT64_C(0xfff)

static inline uint64_t link_pa(uint64_t link)
{
	return link & ~LINK_FLAGS;
}

static inline unsigned meta_live(uint64_t state)
{
	return (unsigned)(state & META_FIELD);
}

static inline unsigned meta_tables(uint64_t state)
{
	return (unsigned)(state >> META_TABLE_SHIFT & META_FIELD);
}

static inline unsigned meta_busy(uint64_t state)
{
	return (unsigned)(state >> META_BUSY_SHIFT & META_FIELD);
}

static inline unsigned meta_notes(uint64_t state)
{
	return (unsigned)(state >> META_NOTE_SHIFT & META_FIELD);
}

/* What a table in which leaf @d is, and every table above, has to remember of it. */
static inline uint64_t meta_of_leaf(const struct s2 *s2, uint64_t d)
{
	return (desc_needs_clean(s2->features, d) ? META_CLEAN : 0) |
	       (d & DESC_DBM ? META_DBM : 0);
}

static inline uint64_t *table_meta(const struct s2 *s2, uint64_t *table)
{
	return s2_port_table_meta(s2->port, table);
}

/* ---- the step -----------------------------------------------------------------
 *
 * What one call may still do, and as whom it does it. Without a budget the numbers
 * are so large that no range of 52 bits can use them up.
 */
struct step {
	uint64_t entries; /* visits left */
	uint64_t bytes;	  /* bytes left to clean */
	struct s2_op *op;
	bool shared; /* other calls run beside this one (S2_SHARED) */
	bool wait;   /* ... and one of them has to finish something first */
	uint8_t tag; /* of the markers this call makes; 0: none yet, or exclusive */
	/*
	 * Where an earlier phase of this call began: the path to one entry, so
	 * that the later phases need not walk to it again. Not in a shared call:
	 * the path may have been cut off meanwhile.
	 */
	uint64_t *hint_table[S2_LEVELS];
	uint64_t hint_ipa;
	int8_t hint_level; /* -1: none */
};

#define NO_BUDGET (UINT64_C(1) << 62)

/* How much of @left bytes this step may clean: all, or whole pages. */
static inline uint64_t step_bytes(const struct s2 *s2, const struct step *step,
				  uint64_t left)
{
	return left < step->bytes ? left : step->bytes & ~(page_size(s2) - 1);
}

enum op_kind {
	OP_NONE,
	OP_MAP,
	OP_UNMAP,
	OP_DESTROY,
	OP_WRPROTECT,
	OP_AGE,
	OP_DIRTY,
	OP_SPLIT,
	OP_COLLAPSE,
	OP_FLUSH,
	OP_ANNOTATE,
	OP_CLEAN,
	OP_COUNT
};

/* An instance without tables: what @cfg says of descriptors and operands. */
struct s2 config_layout(const struct s2_config *cfg);
static inline int check_range(const struct s2 *s2, uint64_t ipa, uint64_t size)
{
	if ((ipa | size) & (page_size(s2) - 1))
		return S2_E_ALIGN;
	if (!size)
		return S2_E_SIZE;
	if (ipa + size < ipa)
		return S2_E_WRAP;
	if (ipa + size > UINT64_C(1) << s2->ipa_bits)
		return S2_E_IPA_RANGE;
	return 0;
}

/* Whether shared calls are allowed now: not with runs, nor while a batch is open. */
int check_shared(const struct s2 *s2, uint32_t flags);
int check_log(const struct s2 *s2, const struct s2_dirty_log *log);
/* Execute at one exception level alone can be said with FEAT_XNX only. */
static inline bool exec_known(const struct s2 *s2, s2_attr_t attr)
{
	s2_attr_t exec = attr & S2_X;

	return !exec || exec == S2_X || s2->features & S2_FEAT_XNX;
}

/* A step that no caller's budget bounds, and that makes no markers. */
struct step step_free(uint32_t flags);
/*
 * Begin a call: take *local when the caller gave no op; check the budget; start
 * the operation or recognise the one under way (S2_E_RESUME if it is another).
 */
int op_begin(struct s2 *s2, struct s2_op **op, struct s2_op *local, struct step *step,
	     enum op_kind kind, uint64_t ipa, uint64_t size, uint64_t arg,
	     uint32_t flags);
/*
 * A change to come: what a collapse has seen of a table in an earlier step may not hold
 * any more.
 */
static inline void spoil_look(struct s2 *s2, uint32_t flags)
{
	uint64_t look;

	if (!(flags & S2_SHARED)) {
		s2->look = 0;
		return;
	}
	look = s2_port_word_load(s2->port, &s2->look);
	if (look)
		s2_port_word_cas(s2->port, &s2->look, look, 0);
}

/* End a call: ret is S2_MORE, 0 or an error; the last two end the operation. */
int op_end(struct s2 *s2, struct s2_op *op, const struct step *step, int ret);
/*
 * The tag for the markers of a shared call; false when all are taken, which the
 * call waits for.
 */
bool tag_take(struct s2 *s2, struct step *step);
/* A number of its own for a batch or an operation; 0: all are taken. */
unsigned tag_new(struct s2 *s2);
void tag_free(struct s2 *s2, unsigned tag);

/* ---- the cursor -----------------------------------------------------------------
 *
 * A position in the tree: the entry at @level that translates @ipa, and the
 * path to it. It never recurses and never looks back; a loop over it ends when
 * ipa reaches end, and every turn either goes down one of at most four levels
 * or moves ipa up by at least one page, so it is bounded by the range.
 */
struct cursor {
	struct s2 *s2;
	struct step *step;
	uint64_t *table[S2_LEVELS];
	uint64_t ipa, end;
	int level;
};

static inline void cursor_start(struct cursor *c, struct s2 *s2, struct step *step,
				uint64_t ipa, uint64_t end)
{
	c->s2 = s2;
	c->step = step;
	c->ipa = ipa;
	c->end = end;
	c->level = s2->start_level;
	c->table[c->level] = s2->root;
}

/* Remember the entry for cursor_resume(). */
static inline void cursor_hint(const struct cursor *c)
{
	if (c->step->shared)
		return;
	for (int l = c->s2->start_level; l <= c->level; l++)
		c->step->hint_table[l] = c->table[l];
	c->step->hint_ipa = c->ipa;
	c->step->hint_level = (int8_t)c->level;
}

/* The same as cursor_start(), by the remembered path if that is where to start. */
static inline void cursor_resume(struct cursor *c, struct s2 *s2, struct step *step,
				 uint64_t ipa, uint64_t end)
{
	cursor_start(c, s2, step, ipa, end);
	if (step->hint_level < 0 || step->hint_ipa != ipa)
		return;
	c->level = step->hint_level;
	for (int l = s2->start_level; l <= c->level; l++)
		c->table[l] = step->hint_table[l];
}

static inline bool cursor_more(const struct cursor *c)
{
	return c->ipa < c->end && c->step->entries;
}

static inline uint64_t *cursor_entry(const struct cursor *c)
{
	uint64_t i = c->ipa >> level_shift(c->s2, c->level);

	/* The start level's tables are contiguous: one array. */
	if (c->level != c->s2->start_level)
		i &= table_entries(c->s2) - 1;
	return &c->table[c->level][i];
}

/* Read the entry, which is a visit. */
static inline uint64_t cursor_load(const struct cursor *c, const uint64_t *entry)
{
	c->step->entries--;
	return s2_port_load(c->s2->port, entry);
}

/* The metadata of the table on the path at @level: of one of the root's, too. */
static inline uint64_t *cursor_meta_at(const struct cursor *c, int level)
{
	uint64_t *table = c->table[level];

	if (level == c->s2->start_level)
		table += (c->ipa >> level_shift(c->s2, level)) &
			 ~(uint64_t)(table_entries(c->s2) - 1);
	return table_meta(c->s2, table);
}

static inline uint64_t *cursor_meta(const struct cursor *c)
{
	return cursor_meta_at(c, c->level);
}

/*
 * Put @new in the place of @old. False if that is there no more: only a shared call
 * may find so, or one on an entry that hardware may write (@racy).
 */
static inline bool cursor_swap(const struct cursor *c, uint64_t *entry, uint64_t old,
			       uint64_t new, bool racy)
{
	if (c->step->shared || racy)
		return s2_port_cas(c->s2->port, entry, old, new) == old;
	s2_port_store(c->s2->port, entry, new);
	return true;
}

/* Whether hardware may write the entry: leaves, for their access flag and dirty state. */
static inline bool cursor_racy(const struct cursor *c, uint64_t d)
{
	return c->s2->features & S2_FEAT_HAFDBS && desc_valid_leaf(d, c->level) &&
	       desc_hw_writes(d);
}

/* Count in a table's state word; returns what it was. */
static inline uint64_t state_add(const struct cursor *c, uint64_t *meta, uint64_t delta)
{
	uint64_t old;

	if (c->step->shared)
		return s2_port_word_add(c->s2->port, &meta[META_STATE], delta);
	old = meta[META_STATE];
	meta[META_STATE] = old + delta;
	return old;
}

static inline void count_made(const struct cursor *c, int level)
{
	if (c->step->shared)
		s2_port_word_add(c->s2->port, &c->s2->made[level], 1);
	else
		c->s2->made[level]++;
}

static inline uint64_t state_of(const struct s2 *s2, uint64_t *meta)
{
	return s2_port_word_load(s2->port, &meta[META_STATE]);
}

/* The state word of the table that entry @d is, or was. */
static inline uint64_t state_below(const struct s2 *s2, uint64_t d)
{
	return state_of(s2, table_meta(s2, s2_port_table_va(s2->port, desc_oa(s2, d))));
}

/* Whether a busy entry is this call's to finish. */
static inline bool cursor_owns(const struct cursor *c, uint64_t d)
{
	unsigned tag = desc_tag(d);

	/* The lock's holder takes over whatever is left, pending batches aside. */
	if (!c->step->shared && !c->step->tag)
		return !c->s2->batch || tag != c->s2->batch->tag;
	return tag && tag == c->step->tag;
}

/*
 * Whether phases 3 and 4 of this call go over the entry. Not what its own batch is
 * splitting there, after what was there before had been unmapped and mapped again.
 */
static inline bool finishes(const struct cursor *c, uint64_t d)
{
	return desc_busy(d) && !(d & DESC_REMAKE) && cursor_owns(c, d);
}

/* Something that needs a clean was put into the table, and something is in it. */
static inline bool table_cleanable(uint64_t state)
{
	return state & META_CLEAN && meta_live(state) + meta_busy(state);
}

/* ... and of a detached one of ours: not all of it has been cleaned. */
static inline bool table_unclean(const struct s2 *s2, const uint64_t *meta,
				 uint64_t state)
{
	return table_cleanable(state) && meta[META_CLEANED] < table_entries(s2);
}

/* First byte that the entry translates. */
static inline uint64_t cursor_base(const struct cursor *c)
{
	return c->ipa & ~(level_size(c->s2, c->level) - 1);
}

/* Whether all that the entry translates lies inside [ipa, end). */
static inline bool cursor_covers(const struct cursor *c)
{
	uint64_t size = level_size(c->s2, c->level);

	return !(c->ipa & (size - 1)) && c->end - c->ipa >= size;
}

/* Whether the range ends with the entry. */
static inline bool cursor_last(const struct cursor *c)
{
	return c->end - cursor_base(c) <= level_size(c->s2, c->level);
}

/*
 * How many entries there are from the one under the cursor to the end of its table, of
 * the range (without one that straddles it) or of the step: for loops over a table.
 */
static inline uint64_t cursor_run(const struct cursor *c)
{
	uint64_t base = cursor_base(c), n;
	uint64_t past = (base | (level_size(c->s2, c->level - 1) - 1)) + 1;

	n = ((past < c->end ? past : c->end) - base) >> level_shift(c->s2, c->level);
	return n < c->step->entries ? n : c->step->entries;
}

/* On by @n entries of the same table. */
static inline void cursor_on(struct cursor *c, uint64_t n)
{
	c->ipa = cursor_base(c) + (n << level_shift(c->s2, c->level));
}

static inline void cursor_down(struct cursor *c, uint64_t desc)
{
	c->level++;
	c->table[c->level] = s2_port_table_va(c->s2->port, desc_oa(c->s2, desc));
}

/* On to the next entry, up as far as needed. */
static inline void cursor_next(struct cursor *c)
{
	c->ipa = cursor_base(c) + level_size(c->s2, c->level);
	while (c->level > c->s2->start_level &&
	       !(c->ipa & (level_size(c->s2, c->level - 1) - 1)))
		c->level--;
}

/* ---- the walk ---------------------------------------------------------------------
 *
 * From the root to the entry that translates one address, and no further: for calls
 * that need neither a way back nor a budget. One load for each level; what is read in a
 * table comes after its address was read (address dependency).
 */
struct place {
	uint64_t *table, *entry;
	uint64_t d; /* what it was */
	int level;
};

/* For the constants that it is called with; unoptimised it would only take stack. */
#ifdef __OPTIMIZE__
#define S2_INLINE static inline __attribute__((always_inline))
#else
#define S2_INLINE static inline
#endif

/* Its stack frame is not to be that of every call of its caller. */
#define S2_APART static __attribute__((__noinline__))

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
		/* fall through */
	case 1:
		if (!desc_walks(p.d))
			break;
		walk_down(s2, port, mask, wide, ipa, 2, &p);
		/* fall through */
	case 2:
		if (!desc_walks(p.d))
			break;
		walk_down(s2, port, mask, wide, ipa, 3, &p);
	}
	return p;
}

S2_INLINE struct place walk(const struct s2 *s2, uint64_t ipa)
{
	return s2->wide ? walk_in(s2, ipa, s2->wide) : walk_in(s2, ipa, S2_WIDE_NO);
}

/* ---- the gather -----------------------------------------------------------------
 *
 * struct s2_gather: what has been changed and not been invalidated yet, one interval
 * around all of it, and what the planner may know about the leaves in it.
 */

static inline void gather_add(struct s2_gather *g, uint64_t ipa, uint64_t size,
			      uint64_t stride)
{
	if (g->start == g->end) {
		g->start = ipa;
		g->end = ipa + size;
		g->stride = stride;
		return;
	}
	if (ipa < g->start)
		g->start = ipa;
	if (ipa + size > g->end)
		g->end = ipa + size;
	if (stride < g->stride)
		g->stride = stride;
}

static inline void gather_leaf(struct s2_gather *g, const struct cursor *c, uint64_t d)
{
	gather_add(g, cursor_base(c), level_size(c->s2, c->level),
		   level_size(c->s2, c->level));
	g->levels |= (uint8_t)(1u << c->level);
	g->clean |= desc_needs_clean(c->s2->features, d);
}

/* An entry to be broken, or that is busy: a leaf or a whole table (unmap.c). */
void gather_entry(struct s2_gather *g, const struct cursor *c, uint64_t d);

/*
 * Phase 2 of everything: make what was gathered unusable by every PE and every
 * other agent before returning. Nothing gathered: no barrier, no TLBI.
 */
void invalidate(struct s2 *s2, const struct step *step, const struct s2_gather *g);
/* The same for one page, under the lock: not above a table that was removed. */
void invalidate_page(struct s2 *s2, uint64_t ipa);
/* The same for the whole VMID, whatever was gathered. */
void invalidate_all(struct s2 *s2);
/* The same for several intervals; more than S2_PLAN_OPS mean the whole VMID. */
void invalidate_places(struct s2 *s2, const struct s2_gather *place, unsigned n);
/* This PE's copies of one leaf, which only lacked permissions. */
void invalidate_local(struct s2 *s2, uint64_t ipa, int level);

/* ---- break, clean, release: unmap.c and clean.c, used by the others too -------- */

/*
 * Break the valid entry under the cursor, a leaf or a whole table: put @marker
 * there, tagged, and gather it. False if it has changed since it was read, or when
 * there is no tag: step->wait says which.
 */
bool break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct s2_gather *g);
/*
 * A busy entry that was found: gather it, for its invalidation may not have been
 * (P8), and take it over if this call may. False if it has to be waited for.
 */
bool meet_busy(struct cursor *c, uint64_t *entry, uint64_t d, struct s2_gather *g);
/*
 * Nothing may be put any more into a table in which nothing is live: true when that
 * holds. Who puts something in counts it first and backs off when the table is dead,
 * so between the two one sees the other. Somebody who is about to count it back
 * out makes the first test fail, hence the second look. table_revive() takes it back
 * and returns what the state word was.
 */
bool table_kill(const struct cursor *c, uint64_t *meta);
uint64_t table_revive(const struct cursor *c, uint64_t *meta);
/*
 * Phase 3, clean.c: the memory of the broken leaves in [op->st.pos, end), within the
 * step's budget. Returns where it ended. clean_barrier(): the barrier after the last, if
 * less than @bytes are left of the step's.
 */
uint64_t clean_range(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end);
void clean_barrier(struct s2 *s2, const struct step *step, uint64_t bytes);
/* Release [op->st.pos, to); see unmap.c. Returns where it ended. */
uint64_t release_range(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t to,
		       bool cleaned, bool waived);
/*
 * Clean (if @clean) and release [op->st.pos, op->st.win_end); false when the
 * step's budget ended it.
 */
bool finish_window(struct s2 *s2, struct s2_op *op, struct step *step, bool clean,
		   bool waived);
/* Put a detached table on a limbo list. */
void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level);
/* All of one list onto another. */
void limbo_move(struct s2 *s2, struct s2_limbo *to, struct s2_limbo *from);
/* Free what the op has put in its own limbo; false when the budget ended it. */
bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step);

/*
 * All four phases over op's range, as far as the step goes: 0, S2_MORE or an error.
 * S2_ONLY_NOTES: of annotations alone, what is mapped stays.
 */
enum extent { BY_RANGE, WHOLE_VMID, NOTHING };
#define S2_ONLY_NOTES (1u << 31)
int unmap_steps(struct s2 *s2, struct s2_op *op, struct step *step, uint32_t flags,
		enum extent extent);

/* ---- contiguous runs: run.c ------------------------------------------------------
 *
 * Members are valid, adjacent and alike but for what hardware may set, all of them have
 * DESC_CONT. Only exclusive calls make runs, and an instance with runs has no others.
 */

/* Take the hint from the runs that start or end lies inside: break, invalidate, make. */
void runs_break(struct s2 *s2, uint64_t start, uint64_t end);
/* Extend the range to all of the runs that it begins or ends in. */
void runs_widen(struct s2 *s2, uint64_t *start, uint64_t *end);
/* False at the start of a run of which the step cannot visit all. */
bool run_fits(const struct cursor *c, uint64_t d);

/* ---- dirty state: change.c ------------------------------------------------------- */

/*
 * The leaf under the cursor was @d, the last that hardware had to say of it, and is
 * @now: if it was dirty and is not any more, the caller's log has to know.
 */
void harvest(const struct cursor *c, uint64_t d, uint64_t now);
/*
 * The same for all leaves of a range that is to be detached by one write: hardware
 * could go on recording in a detached table, so first it is told not to.
 */
void harvest_below(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		   struct s2_gather *g);

static inline struct s2_limbo *op_limbo(struct s2_op *op)
{
	return op->limbo ? op->limbo : &op->st.own;
}

/*
 * Link the tables of split blocks in [pos, end), broken and invalidated. Returns where
 * the step's budget ended it: split.c.
 */
uint64_t link_remade(struct s2 *s2, struct step *step, uint64_t pos, uint64_t end);

/* ---- batches: batch.c -------------------------------------------------------------- */

/* How far its flush has come. */
enum { BATCH_OPEN, BATCH_CLEAN, BATCH_RELEASE };

/* No room for another range, or in the middle of its flush. */
static inline bool batch_full(const struct s2_batch *b)
{
	return b->ranges == S2_BATCH_RANGES || b->phase != BATCH_OPEN;
}

/* To be invalidated at the flush; and, of a range that was broken, finished in it. */
void batch_gather(struct s2_batch *b, const struct s2_gather *g);
void batch_range(struct s2_batch *b, uint64_t start, uint64_t end, uint8_t how);
/* Both, of one page that was broken in a table which stays. */
void batch_page(struct s2_batch *b, uint64_t ipa, uint64_t size, uint8_t how);
/* Whether blocks in the range are being split by the batch. */
bool batch_remakes(const struct s2_batch *b, uint64_t ipa, uint64_t size);
/* Gather the range if something in it waits for the batch's invalidation. */
void batch_pending(const struct s2_batch *b, uint64_t ipa, uint64_t size,
		   struct s2_gather *g, uint64_t stride);
/* Invalidate and finish everything in it; false when the step's budget ended it. */
bool batch_finish(struct s2 *s2, struct s2_batch *b, struct s2_op *op, struct step *step);

/* ---- the general ways of s2_map() and s2_unmap(), which are in page.c -------------- */

int check_map(const struct s2 *s2, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, uint32_t flags, const struct s2_op *op);
int map_range(struct s2 *s2, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	      uint32_t flags, struct s2_op *op);
int unmap_range(struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op);

/* ---- tables taken before they are needed --------------------------------------- */

/* How many it takes below an entry at @level until @edge is between two entries. */
static inline unsigned tables_to(const struct s2 *s2, uint64_t edge, int level)
{
	unsigned n = 0;

	for (; level < LAST_LEVEL && edge & (level_size(s2, level) - 1); level++)
		n++;
	return n;
}

/* Take up to n tables into *reserve: all, or none and S2_E_NOMEM. */
int reserve_fill(struct s2 *s2, void *cookie, uint64_t *reserve, uint64_t n);
uint64_t *reserve_take(struct s2 *s2, uint64_t *reserve);
/* Put one back that was never linked. */
void reserve_return(struct s2 *s2, uint64_t *reserve, uint64_t *table);
void reserve_drain(struct s2 *s2, uint64_t *reserve);

/*
 * Entries of a table that is not linked yet, for the place where @d is: empty, or all
 * of them the annotation that is there.
 */
void table_fill(struct s2 *s2, uint64_t *table, uint64_t d);
/* A table for the entry under the cursor, which is @d, linked; down into it. */
void make_table(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t *reserve);

/*
 * Blocks that straddle start or end: how many tables it takes to split them;
 * S2_E_BLOCK if @flags do not allow it.
 */
int edges_need(struct s2 *s2, uint64_t start, uint64_t end, uint32_t flags, uint64_t *n);
/* Split them, with tables from @reserve. */
void edges_split(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint64_t *reserve);
/* Both, with tables of its own. Changes nothing when it fails. */
int settle_edges(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint32_t flags);

#endif /* STAGE2_SRC_INTERNAL_H */
