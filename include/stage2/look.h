/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looking at what is mapped: part of stage2.h, which includes it.
 */
#ifndef STAGE2_LOOK_H
#define STAGE2_LOOK_H

#include <stage2/stage2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- looking --------------------------------------------------------------- */

/**
 * enum s2_state - what an entry is
 * @S2_EMPTY: nothing
 * @S2_LEAF: a page or a block
 * @S2_BUSY: broken by a call that has not finished
 * @S2_NOTE: not mapped, with an owner annotation
 */
enum s2_state { S2_EMPTY, S2_LEAF, S2_BUSY, S2_NOTE };

/**
 * struct s2_mapping - a leaf, or a hole, as s2_lookup() and s2_iter_next() see it
 * @ipa: start of the entry
 * @pa: what it maps to (leaves)
 * @size: bytes the entry covers
 * @desc: the descriptor as it is in memory
 * @note: the annotation (%S2_NOTE)
 * @attr: permissions, memory type, software bits (leaves)
 * @level: the entry's level
 * @young: the access flag (leaves); s2_lookup(): of a contiguous run, any member's
 * @contiguous: one of a contiguous run (leaves)
 * @state: what it is
 */
struct s2_mapping {
	s2_ipa_t ipa;
	s2_pa_t pa;
	uint64_t size;
	uint64_t desc;
	uint64_t note;
	s2_attr_t attr;
	int8_t level;
	bool young;
	bool contiguous;
	enum s2_state state;
};

/**
 * s2_lookup() - find what translates an address
 * @s2: the instance
 * @ipa: any address inside the IPA size; no alignment needed
 * @m: out: the leaf or hole that covers it
 *
 * Return: 0 (look at m->state), %S2_E_IPA_RANGE. Context: any.
 * Locking: shared.
 */
int s2_lookup(const struct s2 *s2, s2_ipa_t ipa, struct s2_mapping *m);

/**
 * struct s2_leaf - the translation of one address, as s2_translate() finds it
 * @pa: what the address itself is translated to
 * @level: the leaf's
 * @desc: its descriptor as it is in memory
 */
struct s2_leaf {
	s2_pa_t pa;
	int8_t level;
	uint64_t desc;
};

/** s2_leaf_size() - bytes of the page or block */
static inline uint64_t s2_leaf_size(const struct s2 *s2, const struct s2_leaf *leaf)
{
	return UINT64_C(8) << (s2->granule_shift - 3) * (4 - leaf->level);
}

/** s2_leaf_perms() - of %S2_R and %S2_W; a clean leaf with %S2_DBM has no %S2_W */
static inline s2_attr_t s2_leaf_perms(const struct s2_leaf *leaf)
{
	return (s2_attr_t)(leaf->desc >> 6) & (S2_R | S2_W);
}

/**
 * s2_translate() - find the output address for an IPA
 * @s2: the instance
 * @ipa: any address inside the IPA size; no alignment needed
 * @leaf: out, if 0 is returned
 *
 * The cheap form of s2_lookup(), for code that accesses guest memory on behalf of the
 * guest. The result was true at one moment during the call. An unmap that returned before
 * the call is seen. The embedder makes sure that the memory still belongs to the guest
 * when it is used: by a lock held over both, or by an unmap that waits for the read-side
 * section.
 *
 * Return: 0, %S2_E_NOENT (not mapped, or an annotation), %S2_E_BUSY (broken by a call
 * that has not finished: treat it as a fault, or try again), %S2_E_IPA_RANGE.
 * Context: any. Locking: shared.
 */
int s2_translate(const struct s2 *s2, s2_ipa_t ipa, struct s2_leaf *leaf);

/**
 * struct s2_iter - a cursor over the leaves of a range; the fields are the engine's
 */
struct s2_iter {
	const struct s2 *s2;
	uint64_t *table[S2_LEVELS];
	uint64_t ipa, end;
	int8_t level;
};

/**
 * s2_iter_start() - put a cursor at the start of a range
 * @it: the cursor
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 *
 * Return: 0, %S2_E_ALIGN, %S2_E_SIZE, %S2_E_WRAP, %S2_E_IPA_RANGE.
 * Context: any. Locking: shared, held until the last s2_iter_next(): a cursor
 * does not survive a change.
 */
int s2_iter_start(struct s2_iter *it, const struct s2 *s2, s2_ipa_t ipa, uint64_t size);

/**
 * s2_iter_next() - the next leaf, busy or annotated entry of the range
 * @it: the cursor
 * @m: out: the entry; its start may lie before the range (a block)
 *
 * Return: true if there was one, false at the end. Context: any.
 * Locking: as s2_iter_start().
 */
bool s2_iter_next(struct s2_iter *it, struct s2_mapping *m);

/**
 * struct s2_stats - what an instance has and has done
 * @tables: table pages by level that exist, those in limbo included, the root excluded
 * @tlbis: TLBIs issued, by instruction (enum s2_tlbi), without the local ones of
 *	s2_relax_perms()
 *
 * Exact when no call is under way. A struct s2_limbo counts its own list.
 */
struct s2_stats {
	uint64_t tables[S2_LEVELS];
	uint64_t tlbis[3];
};

/**
 * s2_stats() - look at the counters
 * @s2: the instance
 * @st: out
 *
 * Return: nothing. Context and locking: any, none.
 */
void s2_stats(const struct s2 *s2, struct s2_stats *st);

/**
 * struct s2_survey - what is in a range
 * @mapped: bytes of the range that leaves map
 * @leaves: the same by the leaves' level
 * @noted: bytes that are annotated (s2_annotate())
 * @busy: bytes that a call has broken and not finished
 * @empty: all other bytes
 * @all, @any: bits of the attributes (DOC: attributes) that every leaf has, and that at
 *	least one has. Equal: all leaves have these attributes. Where they differ in a
 *	field of more than one bit (memory type, shareability, software bits), the field
 *	says no more than that.
 * @note: the annotation, if all that are in the range have the same value; else 0
 * @uniform: the range is mapped with the same attributes all over, or has the same
 *	annotation all over, or nothing is in it. Output addresses are not looked at.
 */
struct s2_survey {
	uint64_t mapped, leaves[S2_LEVELS];
	uint64_t noted, busy, empty;
	s2_attr_t all, any;
	uint64_t note;
	bool uniform;
};

/**
 * s2_survey() - what is in a range, and with which attributes
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_SHARED
 * @survey: out: of leaves that reach across an edge only the part inside the range. The
 *	first step sets it to zero, the others add to it. @uniform is valid after the last
 *	step.
 * @op: budget, progress; or NULL
 *
 * It walks the range, because the engine keeps no such sums: it detaches tables unread.
 * An empty table is not read. Beside other calls each entry is as it was at some time
 * during the call.
 *
 * Return: as s2_wrprotect(). Context: any. Locking: exclusive or shared.
 */
int s2_survey(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	      struct s2_survey *survey, struct s2_op *op);

/** S2_DUMP_LINE - a buffer of this size holds any line of s2_dump_next() */
#define S2_DUMP_LINE 128

/**
 * s2_dump_next() - the next line of a dump that a person reads
 * @it: a cursor, from s2_iter_start()
 * @buf: out: one line, without a newline, with a NUL
 * @size: size of @buf in bytes; a shorter buffer than %S2_DUMP_LINE cuts lines
 *
 * Leaves that continue each other (level, PA, attributes), and equal annotations, share
 * one line:
 * "0x40000000-0x40200000 -> 0x80000000 L3 x512 rwx wb af".
 *
 * Return: true if there was one, false at the end. Context: any.
 * Locking: as s2_iter_start().
 */
bool s2_dump_next(struct s2_iter *it, char *buf, size_t size);

#ifdef __cplusplus
}
#endif
#endif /* STAGE2_LOOK_H */
