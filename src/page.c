/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * s2_map() and s2_unmap(): one page the short way, and one block of the smallest size
 * that is mapped where nothing is. Most calls that a hypervisor makes are for one leaf
 * whose table is there and stays: a fault, a balloon, a guest's memory. Under the lock
 * and without a budget nothing can come between their phases, so they need no window, no
 * gather and no second walk. In a batch there is only the break to do. What is not that
 * simple is left to the general ways in unmap.c and map.c, which do the same.
 */
#include "internal.h"

#define EDGES (S2_DROP_EDGES | (S2_USE_RESHAPE ? S2_SPLIT_EDGES : 0))

/*
 * Nothing that the short ways leave out, about the instance or the op. @counts: the way
 * for an instance that has counted leaves. Others do not pay for it.
 */
static inline bool plain(const struct s2 *s2, uint64_t ipa, const struct s2_op *op,
			 bool counts)
{
	return S2_USE_FAST && !(ipa & (page_size(s2) - 1)) && ipa < s2->ipa_end &&
	       !(s2->special & ~(S2_HARDWARE_WRITES | (counts ? S2_COUNTS : 0))) &&
	       batch_of(op) == open_batch(s2) &&
	       (!op || (!(op->st.kind | op->max_entries | op->max_bytes) && !op->dirty &&
			(S2_USE_BATCH || !op->batch)));
}

static inline bool done(const struct s2 *s2, struct s2_op *op, uint64_t ipa, int level,
			uint64_t cleaned)
{
	if (op) {
		op->start = s2_ipa(ipa);
		op->end = op->done = s2_ipa(ipa + level_size(s2, level));
		op->visited = (uint64_t)(level - s2->start_level) + 1;
		op->cleaned = cleaned;
		op->changed = 1;
	}
	return true;
}

/* In @b, or in none: a constant where it is called, and so is @counts. */
S2_INLINE bool unmap_page(struct s2 *s2, uint64_t ipa, uint32_t flags, struct s2_op *op,
			  struct s2_batch *b, bool counts, int *err)
{
	uint64_t *meta, marker, n = 0;
	struct place p;
	bool clean;

	/* A page lies across no edge. */
	if (!plain(s2, ipa, op, counts) || (b && batch_full(b)) ||
	    flags & ~(EDGES | S2_NO_CLEAN | (S2_USE_NOTES ? S2_KEEP_NOTES : 0)) ||
	    (flags & EDGES) == EDGES)
		return false;
	/* The last page of a table takes it along: left to the general way. */
	p = walk(s2, ipa);
	if (p.level != LAST_LEVEL || !desc_valid(p.d))
		return false;
	hint_keep(s2, ipa, p.table);
	/* The tag of a batch takes the place of what is reported. */
	if (counts && b && desc_counted(s2, p.d))
		return false;
	meta = table_meta(s2, p.table);
	if (meta_live(meta[META_STATE]) < 2)
		return false;
	/*
	 * The phases are those of unmap.c. Break: a swap where hardware writes entries.
	 */
	marker = desc_make_busy(p.d, b ? b->tag : 0);
	if (!hw_writes(s2))
		s2_port_store(s2->port, p.entry, marker);
	else if (s2_port_cas(s2->port, p.entry, p.d, marker) != p.d)
		return false;
	clean = !(flags & S2_NO_CLEAN) && desc_needs_clean(s2->features, p.d);
	if (S2_USE_BATCH && b) {
		meta[META_STATE] += META_BUSY_ONE - META_LIVE_ONE;
		batch_page(b, ipa, page_size(s2), clean);
		return done(s2, op, ipa, LAST_LEVEL, 0);
	}
	*err = invalidate_page(s2, ipa);
	if (clean) {
		n = page_size(s2);
		s2_port_clean(s2->port, desc_oa(s2, p.d), n, desc_attr(s2, p.d));
		/* The clean before the memory's next use: clean_barrier(). */
		s2_port_dsb_sy(s2->port);
	}
	if (S2_USE_COUNTED && counts)
		leaf_at_gone(s2, op ? op->cookie : NULL, ipa, LAST_LEVEL, p.d);
	/* Release. */
	s2_port_store(s2->port, p.entry, 0);
	meta[META_STATE] -= META_LIVE_ONE;
	return done(s2, op, ipa, LAST_LEVEL, n);
}

static inline bool counting(const struct s2 *s2)
{
	return S2_USE_FAST && S2_USE_COUNTED && s2->special & S2_COUNTS;
}

static __attribute__((__noinline__)) bool unmap_page_counted(struct s2 *s2, uint64_t ipa,
							     uint32_t flags,
							     struct s2_op *op,
							     struct s2_batch *b, int *err)
{
	return unmap_page(s2, ipa, flags, op, b, true, err);
}

/* Either way; false: neither, and nothing is done. */
S2_INLINE bool unmap_short(struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags,
			   struct s2_op *op, struct s2_batch *b, int *err)
{
	return size == page_size(s2) &&
	       (unmap_page(s2, ipa, flags, op, b, false, err) ||
		(counting(s2) && unmap_page_counted(s2, ipa, flags, op, b, err)));
}

/* Not inline: its stack frame is not to be that of every call. */
static __attribute__((__noinline__)) int unmap_in_batch(struct s2 *s2, uint64_t ipa,
							uint64_t size, uint32_t flags,
							struct s2_op *op)
{
	int err = 0;

	if (unmap_short(s2, ipa, size, flags, op, op->batch, &err))
		return 0;
	/* Each call adds one range. */
	if (op->batch == s2->batch && batch_full(op->batch))
		err = s2_batch_flush(s2, op->batch, op);
	return err ? err : unmap_range(s2, ipa, size, flags, op);
}

int s2_unmap(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, struct s2_op *op)
{
	int err = 0;

	if (batch_of(op))
		return unmap_in_batch(s2, ipa.ipa, size, flags, op);
	if (unmap_short(s2, ipa.ipa, size, flags, op, NULL, &err))
		return err;
	return unmap_range(s2, ipa.ipa, size, flags, op);
}

/*
 * Put leaf @d, which needs the flags @keep, into an empty entry beside other calls, as
 * put_entry() does. It is counted first: a table that is about to be detached for being
 * empty shows so in the same word (table_kill()). If the table has the flags so have
 * those above it, for they get them first; and who detaches one of them reads its word
 * after the DSB that follows, so it sees them if a PE can have seen the leaf. What is not
 * as expected is undone, and left to the general way, which also looks for a table that
 * is empty after the undoing.
 */
static inline bool put_leaf(struct s2 *s2, uint64_t *meta, uint64_t *entry, uint64_t d,
			    uint64_t keep)
{
	uint64_t old = s2_port_word_add(s2->port, &meta[META_STATE], META_LIVE_ONE);

	if (!(keep & ~old) && !(old & META_DEAD) && !s2_port_cas(s2->port, entry, 0, d))
		return true;
	s2_port_word_add(s2->port, &meta[META_STATE], UINT64_C(0) - META_LIVE_ONE);
	return false;
}

/*
 * Write-back, inner shareable, of one page or block, with memory that needs no care.
 */
S2_INLINE bool map_leaf(struct s2 *s2, uint64_t ipa, uint64_t pa, s2_attr_t attr,
			uint32_t flags, struct s2_op *op, bool counts, int level)
{
	uint64_t *meta, d, keep = 0;
	struct place p;

	if (!plain(s2, ipa, op, counts) || pa & (level_size(s2, level) - 1) ||
	    pa >= s2->pa_end || attr & ~(S2_R | S2_W | S2_X | S2_SW_MASK) || batch_of(op))
		return false;
	if (attr & S2_X && (!(flags & S2_NO_CLEAN) || !exec_known(s2, attr)))
		return false;
	d = desc_leaf(s2, pa, attr, level);
	/* Beside others a map may have to report it itself. */
	if (counts && flags & S2_SHARED && desc_counted(s2, d))
		return false;
	if (flags & ~(S2_MAP_PAGES | S2_NO_CLEAN) &&
	    (flags & ~(S2_MAP_PAGES | S2_NO_CLEAN | S2_MAP_NEW |
		       (S2_USE_REPLACE ? S2_MAP_REPLACE | EDGES : 0) |
		       (S2_USE_SHARED ? S2_SHARED : 0)) ||
	     (flags & (S2_DROP_EDGES | S2_MAP_REPLACE)) == S2_DROP_EDGES ||
	     (flags & EDGES) == EDGES || (flags & S2_SHARED && !(op && op->limbo))))
		return false;
	/* Write-back needs no cleaning where FWB forces it. */
	if (!(s2->features & S2_FEAT_FWB)) {
		if (!(flags & S2_NO_CLEAN))
			return false;
		keep = META_CLEAN;
	}
	if (counts && desc_counted(s2, d))
		keep |= META_COUNTED;
	p = level == LAST_LEVEL ? walk(s2, ipa) : walk_any(s2, ipa);
	if (p.level != level || p.d)
		return false;
	if (level == LAST_LEVEL)
		hint_keep(s2, ipa, p.table);
	meta = table_meta(s2, p.table);
	if (S2_USE_SHARED && flags & S2_SHARED) {
		if (!put_leaf(s2, meta, p.entry, d, keep))
			return false;
	} else {
		/* The tables above have the flags if this one has. */
		if (keep & ~meta[META_STATE])
			return false;
		s2_port_store(s2->port, p.entry, d);
		meta[META_STATE] += META_LIVE_ONE;
	}
	/* The entry before the guest runs on: as in map_window(). */
	s2_port_dsb_ishst(s2->port);
	return done(s2, op, ipa, level, 0);
}

/*
 * A page, where leaves are counted; or one block: not beside other calls, and not in the
 * root, which may be several tables.
 */
static __attribute__((__noinline__)) bool map_short(struct s2 *s2, uint64_t ipa,
						    uint64_t pa, uint64_t size,
						    s2_attr_t attr, uint32_t flags,
						    struct s2_op *op)
{
	int level = LAST_LEVEL;

	if (size != page_size(s2)) {
		level--;
		if (s2->start_level >= level || size != level_size(s2, level) ||
		    ipa & (size - 1) || flags & (S2_MAP_PAGES | S2_SHARED))
			return false;
	} else if (!counting(s2)) {
		return false;
	}
	return map_leaf(s2, ipa, pa, attr, flags, op, true, level);
}

/* Not inline: a page that needs none of it does not pay for it. */
static __attribute__((__noinline__)) int map_other(struct s2 *s2, uint64_t ipa,
						   uint64_t pa, uint64_t size,
						   s2_attr_t attr, uint32_t flags,
						   struct s2_op *op)
{
	if (map_short(s2, ipa, pa, size, attr, flags, op))
		return 0;
	return map_run(s2, OP_MAP, ipa, pa, size, attr, flags, op, NULL);
}

int s2_map(struct s2 *s2, s2_ipa_t ipa, s2_pa_t pa, uint64_t size, s2_attr_t attr,
	   uint32_t flags, struct s2_op *op)
{
	if (!S2_USE_FAST)
		return map_run(s2, OP_MAP, ipa.ipa, pa.pa, size, attr, flags, op, NULL);
	if (size == page_size(s2) &&
	    map_leaf(s2, ipa.ipa, pa.pa, attr, flags, op, false, LAST_LEVEL))
		return 0;
	return map_other(s2, ipa.ipa, pa.pa, size, attr, flags, op);
}
