/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of what stays mapped: part of stage2.h, which includes it.
 */
#ifndef STAGE2_CHANGE_H
#define STAGE2_CHANGE_H

#include <stage2/stage2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- changes in place ----------------------------------------------------- */

/**
 * s2_wrprotect() - take write permission from every leaf in a range
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_SHARED
 * @op: budget, progress; or NULL
 *
 * A block that reaches across an edge is protected whole. There is one invalidation at
 * the end of each step; after it no PE can write through an old translation. Permissions
 * may change without break-before-make [RWHZWS]. %S2_DBM is removed too, or hardware
 * would give the permission back. op->dirty records which leaves were dirty.
 *
 * Return: 0, %S2_MORE, %S2_E_ALIGN, %S2_E_SIZE, %S2_E_WRAP, %S2_E_IPA_RANGE,
 * %S2_E_FLAGS, %S2_E_BUDGET, %S2_E_RESUME, %S2_E_BATCH. Context: any.
 * Locking: exclusive or shared.
 */
int s2_wrprotect(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		 struct s2_op *op);

/**
 * s2_relax_perms() - add permissions to the leaf that maps an address
 * @s2: the instance
 * @ipa: an address in the leaf; granule aligned
 * @perms: %S2_R, %S2_W, %S2_XU, %S2_XP: those to add; the access flag is set too
 * @flags: %S2_SHARED
 *
 * Call it on the PE that took the fault. If execute permission is added, the memory of
 * the leaf is made visible to instruction fetch first. Only this PE's copies of the leaf
 * are invalidated (TLBI IPAS2E1, not IS), each time the function is called. This is
 * enough: an old copy lacks permissions and nothing else [RWHZWS], so another PE that
 * has one faults and calls this function too.
 *
 * Return: 0, %S2_E_ALIGN, %S2_E_WRAP, %S2_E_IPA_RANGE, %S2_E_FLAGS, %S2_E_ATTR (no or
 * other bits, or execute on Device), %S2_E_NOENT, %S2_E_BUSY. Context: any.
 * Locking: exclusive or shared.
 */
int s2_relax_perms(struct s2 *s2, s2_ipa_t ipa, s2_attr_t perms, uint32_t flags);

/**
 * s2_mkyoung() - set the access flag of the leaf that maps an address
 * @s2: the instance
 * @ipa: an address in the leaf; granule aligned
 * @flags: %S2_SHARED
 *
 * No invalidation: an entry whose access flag is 0 is not cached in a TLB.
 *
 * Return: 0, %S2_E_ALIGN, %S2_E_WRAP, %S2_E_IPA_RANGE, %S2_E_FLAGS, %S2_E_NOENT,
 * %S2_E_BUSY. Context: any. Locking: exclusive or shared.
 */
int s2_mkyoung(struct s2 *s2, s2_ipa_t ipa, uint32_t flags);

/**
 * s2_age() - test, and on request clear, the access flag over a range
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_CLEAR, %S2_SHARED
 * @young: out: set to true if a leaf in the range had the flag. Set it to false first.
 * @op: budget, progress; or NULL
 *
 * Clearing issues no invalidation. A PE that still holds the old entry does not set the
 * flag again before that entry is evicted, so a page may look older than it is. Linux
 * does the same. The translation itself does not change.
 *
 * Return: as s2_wrprotect(). Context: any. Locking: exclusive or shared.
 */
int s2_age(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags, bool *young,
	   struct s2_op *op);

/**
 * s2_dirty() - collect, and on request clear, the dirty state that hardware keeps
 * @s2: the instance, with %S2_FEAT_DBM
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_CLEAR, %S2_SHARED
 * @log: gets a bit for every page of every dirty leaf (%S2_DBM and %S2_W) that intersects
 *	the range, also for pages of a block outside the range; must hold the range
 * @op: budget, progress; or NULL
 *
 * With %S2_CLEAR each of these leaves becomes clean, and stays writable, by a
 * compare-and-swap. One invalidation at the end of each step removes cached copies, so
 * later writes are recorded again. A block stays dirty if the log has no bit for one of
 * its pages. Pages that are writable without %S2_DBM are not reported; use s2_wrprotect()
 * and s2_relax_perms() for those.
 *
 * Return: as s2_wrprotect(); %S2_E_UNSUPPORTED without %S2_FEAT_DBM; %S2_E_IPA_RANGE if
 * the log does not hold the range; %S2_E_SIZE, %S2_E_ALIGN, %S2_E_WRAP for the log's own.
 * Context: any. Locking: exclusive or shared.
 */
int s2_dirty(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     struct s2_dirty_log *log, struct s2_op *op);

/**
 * s2_split() - turn every block that intersects a range into pages
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_SHARED
 * @op: budget, cookie, progress; or NULL
 *
 * A level-1 block becomes level-2 blocks, and those that intersect the range become
 * pages. Everything stays mapped with the same attributes and the access flag set. Each
 * step takes and fills all of its tables first. This may fail, and then the step has
 * changed nothing. It then breaks the blocks, invalidates once, and links the tables.
 *
 * Between the break and the link nothing is mapped there: a PE faults, and the fault
 * handler waits. Another agent (SMMU) that cannot stall loses the access. So do it before
 * such a device is given to the guest. The same holds for every call that breaks an entry
 * that stays mapped: s2_collapse(), %S2_SPLIT_EDGES, and %S2_MAP_REPLACE.
 *
 * Return: as s2_wrprotect(), %S2_E_NOMEM. Context: any that the
 * port's allocation allows. Locking: exclusive or shared.
 */
int s2_split(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     struct s2_op *op);

/**
 * s2_collapse() - turn tables that map what a block could into blocks
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_SHARED
 * @op: budget, limbo, progress; or NULL
 *
 * A table is replaced by a block if it lies inside the range, is full, and its leaves
 * have contiguous and suitably aligned output addresses and the same attributes. This
 * is done from the last level up, so pages can become a level-1 block. Access flags
 * may differ: the block is young if one leaf was (with %S2_FEAT_HAFDBS always). The
 * same holds for dirty state. Other tables stay as they are, which is no error. An
 * exclusive call replaces a table of equal annotations, too, by one annotation, at the
 * levels that have blocks. All tables of a step are broken, then invalidated at once,
 * then replaced. Never allocates. If the guest accesses the range meanwhile, it faults;
 * the fault handler gets %S2_E_BUSY or finds the block. DMA that cannot stall is lost, as
 * at s2_split().
 *
 * Return: as s2_wrprotect(); %S2_E_LIMBO; %S2_E_BUDGET also for a budget below twice the
 * entries of a table.
 * Context: any. Locking: exclusive or shared.
 */
int s2_collapse(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op);

/**
 * s2_clean() - clean the memory of a range to the PoC without unmapping it
 * @s2: the instance
 * @ipa: start; granule aligned
 * @size: bytes; a multiple of the granule, not 0
 * @flags: %S2_SHARED
 * @op: budget, progress; or NULL
 *
 * Only leaves whose memory type needs it are cleaned, and of each the part inside the
 * range. There is one DSB SY for each step. The guest may dirty the memory again at once.
 *
 * Return: as s2_wrprotect(). Context: any. Locking: exclusive or shared.
 */
int s2_clean(struct s2 *s2, s2_ipa_t ipa, uint64_t size, uint32_t flags,
	     struct s2_op *op);

#ifdef __cplusplus
}
#endif
#endif /* STAGE2_CHANGE_H */
