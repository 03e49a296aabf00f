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
 * %S2_R, %S2_W, %S2_X: read, write, execute. None: a leaf that permits nothing. %S2_X is
 *	%S2_XU | %S2_XP: execute at EL0, execute at EL1. One without the other needs
 *	%S2_FEAT_XNX.
 * %S2_MEM_WB: Normal write-back, inner shareable (the default, 0). With FWB the
 *	guest cannot weaken it.
 * %S2_MEM_NC: Normal non-cacheable.
 * %S2_MEM_S1: with FWB only: the memory type of stage 1 is used.
 * %S2_MEM_DEV_nGnRnE .. %S2_MEM_DEV_GRE: Device. Execute permission with it is refused.
 * %S2_SH_INNER (the default, 0), %S2_SH_OUTER, %S2_SH_NONE: shareability. With
 *	%S2_FEAT_LPA2 a descriptor has no room for it: all memory is inner shareable, and
 *	the other two are refused. A change of it needs break-before-make.
 * %S2_DBM: with %S2_FEAT_DBM only: hardware records writes. A leaf with %S2_W | %S2_DBM
 *	is dirty. A leaf with %S2_DBM alone is clean and writable: the first write
 *	makes it dirty. See s2_dirty().
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
#define S2_SW(n) ((uint32_t)(15u & (n)) << 8)
#define S2_SW_MASK S2_SW(15)
#define S2_SH_MASK (3u << 12)
#define S2_SH_INNER (0u << 12)
#define S2_SH_OUTER (1u << 12)
#define S2_SH_NONE (2u << 12)
#define S2_DBM (1u << 14)

/**
 * DOC: flags of calls
 *
 * %S2_MAP_PAGES: map: use level-3 pages only, even where a block would fit.
 * %S2_MAP_REPLACE: map: replace what is mapped in the range. A table under a new block
 *	goes with everything below it.
 * %S2_MAP_NEW: map: change nothing that is mapped; %S2_E_EXIST instead. See s2_map().
 * %S2_MAP_CONT: map: set the contiguous hint in every aligned run of leaves (4 KiB
 *	granules 16; 16 KiB 128 pages, 32 blocks; 64 KiB 32) that one window makes whole.
 *	A run that a step is too small for gets no hint. Not with %S2_DBM (%S2_E_ATTR);
 *	nor does a map give that to a run in place (%S2_E_ATTR): unmap the run first.
 *	A call that changes part of a run first breaks all of it, invalidates, and
 *	makes it again without the hint, whatever its flags say of blocks. Changes of
 *	permissions, access flag and dirty state are applied to the whole run, as to a
 *	block. After the first such map, %S2_SHARED is refused on the instance
 *	(%S2_E_FLAGS), because the members of a run must stay equal.
 * %S2_DROP_EDGES: a block that reaches across an edge of the range, or that is replaced
 *	by something smaller, is removed whole. In a map only with %S2_MAP_REPLACE, else
 *	%S2_E_FLAGS. op->start and op->end report the real
 *	range. (Linux does this. The guest faults the rest in again.)
 * %S2_SPLIT_EDGES: such a block is split first, so that the part outside the range stays
 *	mapped; in a map without %S2_MAP_REPLACE, a block of the same memory whose
 *	permissions are to change in a part. This needs table pages, and fails before any
 *	change if there are none.
 *	With neither of the two flags the call returns %S2_E_BLOCK. Beside shared calls,
 *	which may put a block across an edge after the call has begun, what lies below
 *	op->done has been done then.
 * %S2_NO_CLEAN: the caller waives cleans for its range: the memory behind removed
 *	leaves is not cleaned (nobody will read the data), and new memory is not cleaned
 *	on map (the caller has done it, or the guest cannot see it non-cacheably). It is
 *	waived for this call only: a parked leaf of another call is cleaned.
 * %S2_VMID_UNUSED: destroy: no PE has used the VMID since its last full
 *	invalidation, nor another agent the tables, so none is needed.
 * %S2_SHARED: every call but s2_init(), s2_destroy(), s2_release() and s2_annotate(): the
 *	call runs beside other shared calls. It takes no budget (%S2_E_BUDGET) and keeps
 *	nothing in the op: after %S2_MORE the same call is made again from the start. A
 *	call that may detach tables (s2_unmap(), s2_collapse(), s2_map()) needs op->limbo,
 *	to be released after a grace period that began after the call. s2_map() may
 *	return %S2_E_BUSY with entries below op->end already made. While a batch is
 *	open: %S2_E_BATCH. With %S2_KEEP_NOTES, or with op->dirty where something may
 *	be unmapped (s2_unmap(), %S2_MAP_REPLACE): %S2_E_FLAGS.
 * %S2_KEEP_NOTES: unmap: annotations in the range stay, with the tables that they are in.
 *	Without it they are removed with the range. Exclusive calls only.
 * %S2_CLEAR: s2_age(): clear the access flags. s2_dirty(): clear the dirty state.
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
#define S2_MAP_NEW (1u << 10)

#endif /* STAGE2_ATTR_H */
