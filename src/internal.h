/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine's files share: a table's metadata word, the cursor, the
 * gather, the step. Data flows one way through them:
 *
 *   call -> cursor -> descriptor -> gather -> invalidate -> release
 */
#ifndef STAGE2_SRC_INTERNAL_H
#define STAGE2_SRC_INTERNAL_H

#include "desc.h"
#include "port.h"

/* ---- a table's metadata word ------------------------------------------------
 *
 * A summary of a linked table, so that a table whose last entry goes is found
 * without a scan (P11), and one that need not be read never is (P6):
 *
 *   [15:0]  live    entries that are valid (busy ones are not)
 *   [31:16] tables  entries that are a table, valid or busy
 *   [32]    clean   a leaf that needs cleaning was ever put in it or below it
 *   [45:33] cleaned of a detached table: where the clean goes on
 *   [61:46] busy    entries that are busy
 *
 * In a detached table live + busy is how many entries are left to clean.
 *
 * The word of an unlinked table (in limbo, in a reserve) links to the next one:
 * PA | level | flags. The flags say whether there are tables below.
 */
#define META_LIVE_ONE UINT64_C(1)
#define META_TABLE_ONE (UINT64_C(1) << 16)
#define META_CLEAN (UINT64_C(1) << 32)
#define META_CLEANED_SHIFT 33
#define META_CLEANED (UINT64_C(0x1fff) << META_CLEANED_SHIFT)
#define META_BUSY_SHIFT 46
#define META_BUSY_ONE (UINT64_C(1) << META_BUSY_SHIFT)

#define LINK_LEVEL UINT64_C(3)
#define LINK_HAS_TABLES (UINT64_C(1) << 2)
#define LINK_PRESENT (UINT64_C(1) << 3)
#define LINK_FLAGS UINT64_C(0xfff)

static inline uint64_t link_pa(uint64_t link)
{
	return link & ~LINK_FLAGS;
}

static inline unsigned meta_live(uint64_t meta)
{
	return (unsigned)(meta & 0xffffu);
}

static inline unsigned meta_tables(uint64_t meta)
{
	return (unsigned)((meta >> 16) & 0xffffu);
}

static inline unsigned meta_busy(uint64_t meta)
{
	return (unsigned)((meta >> META_BUSY_SHIFT) & 0xffffu);
}

static inline unsigned meta_cleaned(uint64_t meta)
{
	return (unsigned)((meta & META_CLEANED) >> META_CLEANED_SHIFT);
}

/* Of a detached table: how many of its entries are left to clean. */
static inline unsigned meta_left(uint64_t meta)
{
	return meta_live(meta) + meta_busy(meta);
}

static inline uint64_t *table_meta(const struct s2 *s2, uint64_t *table)
{
	return s2_port_table_meta(s2->port, table);
}

/* ---- the step -----------------------------------------------------------------
 *
 * What one call may still do. Without a budget the numbers are so large that no
 * range of 48 bits can use them up.
 */
struct step {
	uint64_t entries; /* visits left */
	uint64_t bytes;	  /* bytes left to clean */
	/*
	 * Where an earlier phase of this call began: the path to one entry, so
	 * that the later phases need not walk to it again.
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
	OP_SPLIT,
	OP_CLEAN
};

/* An instance without tables: what @cfg says of descriptors and operands. */
struct s2 config_layout(const struct s2_config *cfg);
int check_range(const struct s2 *s2, uint64_t ipa, uint64_t size);
/*
 * Begin a call: take *local when the caller gave no op; check the budget; start
 * the operation or recognise the one under way (S2_E_RESUME if it is another).
 */
int op_begin(struct s2_op **op, struct s2_op *local, struct step *step, enum op_kind kind,
	     uint64_t ipa, uint64_t size, uint64_t arg);
/* End a call: ret is S2_MORE, 0 or an error; the last two end the operation. */
int op_end(struct s2_op *op, const struct step *step, int ret);

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

/* ---- the gather -----------------------------------------------------------------
 *
 * What has been changed and not been invalidated yet: one interval around all
 * of it, and what the planner may know about the leaves in it.
 */
struct gather {
	uint64_t start, end; /* empty when equal */
	uint64_t stride;     /* the smallest leaf, or a page when not known */
	uint8_t levels;	     /* levels of the leaves, one bit each */
	bool table;	     /* a table entry was removed */
	bool clean;	     /* something may need cleaning */
};

static inline void gather_add(struct gather *g, uint64_t ipa, uint64_t size,
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

static inline void gather_leaf(struct gather *g, const struct cursor *c, uint64_t d)
{
	gather_add(g, cursor_base(c), level_size(c->s2, c->level),
		   level_size(c->s2, c->level));
	g->levels |= (uint8_t)(1u << c->level);
	g->clean |= desc_needs_clean(c->s2->features, d);
}

/*
 * Phase 2 of everything: make what was gathered unusable by every PE and every
 * other agent before returning. Nothing gathered: no barrier, no TLBI.
 */
void invalidate(struct s2 *s2, const struct gather *g);
/* The same for the whole VMID, whatever was gathered. */
void invalidate_all(struct s2 *s2);

/* ---- break, clean, release: unmap.c, used by map.c and split.c too ------------- */

/*
 * Break the entry under the cursor, a leaf or a whole table, with @marker, and
 * gather it. A busy one is gathered again, for whoever meets it finishes it.
 */
void break_entry(struct cursor *c, uint64_t *entry, uint64_t d, uint64_t marker,
		 struct gather *g);
/*
 * Clean the memory of the broken leaves in [op->st.pos, end), within the step's
 * budget. Returns where it ended.
 */
uint64_t clean_window(struct s2 *s2, struct s2_op *op, struct step *step, uint64_t end);
/*
 * Clean (if @clean) and release [op->st.pos, op->st.win_end); false when the
 * step's budget ended it.
 */
bool finish_window(struct s2 *s2, struct s2_op *op, struct step *step, bool clean,
		   bool waived);
/* Put a detached table on a limbo list. */
void limbo_push(struct s2 *s2, struct s2_limbo *limbo, uint64_t *table, int level);
/* Free what the op has put in its own limbo; false when the budget ended it. */
bool drain_own(struct s2 *s2, struct s2_op *op, struct step *step);

static inline struct s2_limbo *op_limbo(struct s2_op *op)
{
	return op->limbo ? op->limbo : &op->st.own;
}

/* ---- tables taken before they are needed --------------------------------------- */

/* Take up to n tables into *reserve: all, or none and S2_E_NOMEM. */
int reserve_fill(struct s2 *s2, void *cookie, uint64_t *reserve, uint64_t n);
uint64_t *reserve_take(struct s2 *s2, uint64_t *reserve);
void reserve_drain(struct s2 *s2, uint64_t *reserve);

/*
 * Blocks that straddle start or end: split them, or say S2_E_BLOCK, by @flags.
 * Changes nothing when it fails.
 */
int settle_edges(struct s2 *s2, uint64_t start, uint64_t end, uint32_t flags,
		 void *cookie);

#endif /* STAGE2_SRC_INTERNAL_H */
