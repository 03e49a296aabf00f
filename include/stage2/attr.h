/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attributes of mappings and flags of calls: part of stage2.h, which includes it.
 */
#ifndef STAGE2_ATTR_H
#define STAGE2_ATTR_H

#include <stdint.h>

/**
 * DOC: attributes
 *
 * One number: permissions, memory type, shareability, software bits.
 *
 * %S2_R, %S2_W, %S2_X: read, write, execute. At least one. %S2_X is %S2_XU | %S2_XP:
 *	execute at EL0, at EL1; one without the other needs %S2_FEAT_XNX.
 * %S2_MEM_WB: Normal write-back, inner shareable (the default, 0). With FWB the
 *	guest cannot weaken it.
 * %S2_MEM_NC: Normal non-cacheable.
 * %S2_MEM_S1: with FWB only: take stage 1's type.
 * %S2_MEM_DEV_nGnRnE .. %S2_MEM_DEV_GRE: Device; execute with it is refused.
 * %S2_SH_INNER (the default, 0), %S2_SH_OUTER, %S2_SH_NONE: shareability. With
 *	%S2_FEAT_LPA2 a descriptor has no room for it and all is inner shareable; the
 *	other two are refused. To change it takes break-before-make.
 * %S2_DBM: with %S2_FEAT_DBM only: hardware records writes. Together with %S2_W the
 *	leaf begins dirty, without it clean and yet writable: the first write makes
 *	it %S2_W | %S2_DBM, which is how a dirty leaf reads. See s2_dirty().
 * %S2_SW(n): software bits, n 0..15, kept in descriptor bits [58:55]. Bits 55
 *	and 58 have other meanings with RME and FEAT_THE [U].
 */
typedef uint32_t s2_attr_t;
#define S2_R (1u << 0)
#define S2_W (1u << 1)
#define S2_XU (1u << 2)
#define S2_XP (1u << 3)
#define S2_X (S2_XU | S2_XP)
#define S2_MEM_MASK (7u << 4)
#define S2_MEM_WB (0u << 4)
#define S2_MEM_NC (1u << 4)
#define S2_MEM_S1 (2u << 4)
#define S2_MEM_DEV_nGnRnE (4u << 4)
#define S2_MEM_DEV_nGnRE (5u << 4)
#define S2_MEM_DEV_nGRE (6u << 4)
#define S2_MEM_DEV_GRE (7u << 4)
#define S2_SW(n) (((uint32_t)(n) & 15u) << 8)
#define S2_SW_MASK S2_SW(15)
#define S2_SH_MASK (3u << 12)
#define S2_SH_INNER (0u << 12)
#define S2_SH_OUTER (1u << 12)
#define S2_SH_NONE (2u << 12)
#define S2_DBM (1u << 14)

/**
 * DOC: flags of s2_map(), s2_unmap(), s2_destroy()
 *
 * %S2_MAP_PAGES: map: level-3 pages only, even where a block would fit.
 * %S2_MAP_REPLACE: map: what is mapped in the range is replaced. A table under
 *	a new block goes with everything below it.
 * %S2_MAP_CONT: map: the contiguous hint for every aligned run of leaves (4 KiB granules
 *	16; 16 KiB 128 pages, 32 blocks; 64 KiB 32) that is made whole, with nothing in
 *	its window that stays. A step that is too small for a run leaves it out. Not
 *	with %S2_DBM (%S2_E_ATTR). An operation on part of a run takes the hint from all
 *	of it first (break, invalidate, make), whatever it says of blocks; changes of
 *	permissions, access flag and dirty state take the whole run, like a block.
 *	From the first such map on %S2_SHARED is refused on the instance: members
 *	must stay alike, which calls beside each other could not see to.
 * %S2_DROP_EDGES: a block that straddles the edge of the range, or that is
 *	replaced by something smaller, is removed whole; op->start and op->end
 *	report the real range. (What Linux does; the rest faults back in.)
 * %S2_SPLIT_EDGES: such a block is split first, so that the part outside the
 *	range stays mapped; needs table pages, and fails before any change if
 *	there are none. Neither of the two: %S2_E_BLOCK before any change.
 * %S2_NO_CLEAN: the memory behind removed leaves is not cleaned (a teardown
 *	whose data nobody will read), nor is new memory on map (the caller has
 *	done it, or the guest cannot see it non-cacheably). A call that meets an
 *	unfinished one in its range finishes it, and waives the clean for both.
 * %S2_VMID_UNUSED: destroy: no PE has used the VMID since its last full
 *	invalidation, so none is needed.
 * %S2_SHARED: every call but s2_init(), s2_destroy(), s2_release(): it runs beside
 *	other shared calls. One that may detach tables (s2_unmap(), s2_collapse(),
 *	s2_map()) needs op->limbo, to be released after a grace period that began
 *	after the call. s2_map() may return %S2_E_BUSY with entries below op->end
 *	already made. While a batch is open: %S2_E_BATCH.
 * %S2_KEEP_NOTES: unmap: owners' annotations in the range stay, and the tables they are
 *	in; otherwise they go with it.
 * %S2_CLEAR: s2_age(), s2_dirty(): clear the access flags, the dirty state too.
 */
#define S2_MAP_PAGES (1u << 0)
#define S2_MAP_REPLACE (1u << 1)
#define S2_DROP_EDGES (1u << 2)
#define S2_SPLIT_EDGES (1u << 3)
#define S2_NO_CLEAN (1u << 4)
#define S2_VMID_UNUSED (1u << 5)
#define S2_SHARED (1u << 6)
#define S2_CLEAR (1u << 7)
#define S2_KEEP_NOTES (1u << 8)
#define S2_MAP_CONT (1u << 9)

#endif /* STAGE2_ATTR_H */
