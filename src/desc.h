/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage-2 descriptors for every granule and address size, and what the engine
 * writes into invalid ones. Nothing else in the engine knows a bit position.
 *
 * Arm ARM, "VMSAv8-64 translation table format descriptors".
 */
#ifndef STAGE2_SRC_DESC_H
#define STAGE2_SRC_DESC_H

#include <stage2/stage2.h>
#include "profile.h"

#define LAST_LEVEL 3

/*
 * The granule: a field of the instance, or a constant of the build if the port
 * defines S2_GRANULE_SHIFT (12, 14 or 16).
 */
static inline unsigned page_shift(const struct s2 *s2)
{
#ifdef S2_GRANULE_SHIFT
	(void)s2;
	return S2_GRANULE_SHIFT;
#else
	return s2->granule_shift;
#endif
}

static inline uint64_t page_size(const struct s2 *s2)
{
	return UINT64_C(1) << page_shift(s2);
}

/* enum s2_wide: where addresses of more than 48 bits have their top bits. */
static inline unsigned wide_of(const struct s2 *s2)
{
	return S2_USE_52BIT ? s2->wide : S2_WIDE_NO;
}

/* The bits of an address that index a table. */
static inline unsigned table_bits(const struct s2 *s2)
{
	return page_shift(s2) - 3;
}

/* Entries of one table: a granule of 8-byte descriptors. */
static inline unsigned table_entries(const struct s2 *s2)
{
	return 1u << table_bits(s2);
}

static inline unsigned level_shift(const struct s2 *s2, int level)
{
	return page_shift(s2) + table_bits(s2) * (unsigned)(LAST_LEVEL - level);
}

static inline uint64_t level_size(const struct s2 *s2, int level)
{
	return UINT64_C(1) << level_shift(s2, level);
}

/*
 * The first level that may hold a block: 4 KiB level 1 (1 GiB), with LPA2 level 0
 * (512 GiB); 16 KiB level 2 (32 MiB), with LPA2 level 1 (64 GiB); 64 KiB level 2
 * (512 MiB), with 52-bit PAs level 1 (4 TiB).
 */
static inline int first_block_level(const struct s2 *s2)
{
	return (page_shift(s2) == 12 ? 1 : 2) - (wide_of(s2) != S2_WIDE_NO);
}

/*
 * The span of a contiguous run of leaves at @level: 4 KiB 16 leaves, 16 KiB 128 pages or
 * 32 blocks, 64 KiB 32. 0 where there are no runs: of the largest blocks that 52-bit
 * addresses have.
 */
static inline uint64_t run_size(const struct s2 *s2, int level)
{
	if (level < (page_shift(s2) == 12 ? 1 : 2))
		return 0;
	return level_size(s2, level) << (page_shift(s2) == 12			     ? 4 :
					 page_shift(s2) == 14 && level == LAST_LEVEL ? 7 :
										       5);
}

#define DESC_VALID (UINT64_C(1) << 0)
#define DESC_TABLE (UINT64_C(1) << 1) /* a table at levels 0-2, a page at 3 */
#define DESC_MEMATTR (UINT64_C(0xf) << 2)
#define DESC_S2AP_R (UINT64_C(1) << 6)
#define DESC_S2AP_W (UINT64_C(1) << 7)
#define DESC_SH (UINT64_C(3) << 8) /* 0b11: inner shareable; OA[51:50] with LPA2 */
#define DESC_AF (UINT64_C(1) << 10)
#define DESC_DBM (UINT64_C(1) << 51)  /* hardware may set S2AP_W: the dirty state */
#define DESC_CONT (UINT64_C(1) << 52) /* one of a contiguous run */
/*
 * XN[1:0]. With FEAT_XNX 0b00 execute at EL1 and EL0, 0b01 at EL0, 0b10 at neither,
 * 0b11 at EL1; without, bit 54 alone says the same of 0b00 and 0b10, and [53] is
 * RES0. So one encoding serves both.
 */
#define DESC_XN_SHIFT 53
#define DESC_XN (UINT64_C(3) << DESC_XN_SHIFT)
#define DESC_SW_SHIFT 55
#define DESC_SW (UINT64_C(0xf) << DESC_SW_SHIFT)

/*
 * Hardware ignores bits [63:1] of an invalid descriptor. A busy marker is the
 * old descriptor with VALID cleared and this bit set (it is one of the PBHA
 * bits, which the engine never sets in a valid one): table or leaf, output
 * address and memory type stay readable for the phases that follow.
 */
#define DESC_BUSY (UINT64_C(1) << 62)

/*
 * DESC_REMAKE: the entry will be valid again before the call that broke it returns
 * (split, collapse); everyone else waits. The marker is a table's descriptor: the
 * one to be linked here, or the one that is being replaced by a block.
 */
#define DESC_REMAKE (UINT64_C(1) << 61)

/*
 * Whose marker it is: a number that no other shared operation or batch under way has.
 * Untagged ones were made under a lock. [4:0] are in the place of XN, DBM and the
 * contiguous hint, which say nothing any more; [5] is bit 59. The software bits stay:
 * s2_port_clean() gets them.
 */
#define DESC_TAGGED (UINT64_C(1) << 63)
#define DESC_TAG_SHIFT 50
#define DESC_TAG_LOW (UINT64_C(0x1f) << DESC_TAG_SHIFT)
#define DESC_TAG_HIGH (UINT64_C(1) << 59)
#define DESC_TAG (DESC_TAG_LOW | DESC_TAG_HIGH)

static inline uint64_t desc_from_tag(unsigned tag)
{
	return ((uint64_t)tag << DESC_TAG_SHIFT & DESC_TAG_LOW) |
	       ((uint64_t)tag << 54 & DESC_TAG_HIGH);
}

/*
 * Whoever broke this beside other calls, or parked it, cleans its memory: so does
 * who detaches the table that the marker is in, whatever he waives (P14).
 */
#define DESC_OWED (S2_USE_SHARED || S2_USE_STEPS ? UINT64_C(1) << 60 : 0)

/*
 * A parked leaf is the marker of a block that has been broken and invalidated and
 * is being cleaned in steps. The address bits below the block's size count the bytes of
 * it that are clean.
 */

/* What a marker says of whose it is: desc_make_busy(0, tag). */
#define DESC_MARK (DESC_VALID | DESC_BUSY | DESC_TAGGED | DESC_TAG)

static inline bool desc_valid(uint64_t d)
{
	return d & DESC_VALID;
}

static inline bool desc_busy(uint64_t d)
{
	return (d & (DESC_VALID | DESC_BUSY)) == DESC_BUSY;
}

/*
 * An owner's annotation: an invalid entry that is neither empty nor busy, with a value
 * in [54:1].
 */
#define DESC_NOTE_SHIFT 1

static inline uint64_t desc_make_note(uint64_t note)
{
	return note << DESC_NOTE_SHIFT;
}

static inline bool desc_note(uint64_t d)
{
	return d && !(d & (DESC_VALID | DESC_BUSY));
}

/* Valid or busy alike: what the entry is, or was. Not for an empty one. */
static inline bool desc_is_table(uint64_t d, int level)
{
	return level < LAST_LEVEL && (d & DESC_TABLE);
}

static inline bool desc_valid_table(uint64_t d, int level)
{
	return desc_valid(d) && desc_is_table(d, level);
}

/* The same for what is known to be above the last level, by one test of both bits. */
static inline bool desc_walks(uint64_t d)
{
	return !((d + 1) & (DESC_VALID | DESC_TABLE));
}

static inline bool desc_valid_leaf(uint64_t d, int level)
{
	return desc_valid(d) && !desc_is_table(d, level);
}

/*
 * Where an output address is in a descriptor: [47:granule]; with LPA2 [49:granule]
 * and OA[51:50] in [9:8]; with 64 KiB granules and 52-bit PAs OA[51:48] in [15:12].
 */
static inline uint64_t desc_oa_mask(const struct s2 *s2)
{
	return s2->oa_mask;
}

/* The same with s2->wide in @wide, which a loop need not look at again. */
static inline uint64_t desc_oa_in(uint64_t mask, unsigned wide, uint64_t d)
{
	uint64_t oa = d & mask;

	if (wide)
		oa |= wide == S2_WIDE_LPA2 ? (d & DESC_SH) << 42 :
					     (d & UINT64_C(0xf000)) << 36;
	return oa;
}

static inline uint64_t desc_oa(const struct s2 *s2, uint64_t d)
{
	return desc_oa_in(desc_oa_mask(s2), wide_of(s2), d);
}

static inline uint64_t desc_from_oa(const struct s2 *s2, uint64_t oa)
{
	uint64_t d = oa & desc_oa_mask(s2);

	if (wide_of(s2))
		d |= wide_of(s2) == S2_WIDE_LPA2 ? (oa >> 42) & DESC_SH :
						   (oa >> 36) & UINT64_C(0xf000);
	return d;
}

static inline uint64_t desc_make_busy(uint64_t d, unsigned tag)
{
	d = (d & ~DESC_VALID) | DESC_BUSY;
	if (S2_USE_TAGS && tag)
		d = (d & ~DESC_TAG) | DESC_TAGGED | desc_from_tag(tag);
	return d;
}

/*
 * A tag has the place of XN. The marker of a leaf keeps that in the place of the access
 * flag and nG, for whoever counts the leaf. S2_DBM is lost.
 */
#define DESC_KEPT (DESC_AF | UINT64_C(1) << 11)
#define DESC_KEPT_SHIFT 43

uint64_t desc_keep_exec(uint64_t d);

/* The valid leaf that marker @d, or a valid leaf, has been. */
uint64_t desc_before(uint64_t d);

/* Whether the embedder hears of valid leaf @d when it goes. */
static inline bool desc_counted(const struct s2 *s2, uint64_t d)
{
	return S2_USE_COUNTED && s2->counted >> (d >> DESC_SW_SHIFT & 15) & 1;
}

/* Tag 0 is nobody's: it marks a parked leaf. */
static inline bool desc_parked(uint64_t d)
{
	return S2_USE_STEPS && (d & (DESC_VALID | DESC_BUSY | DESC_TAGGED | DESC_TAG)) ==
				       (DESC_BUSY | DESC_TAGGED);
}

static inline uint64_t desc_make_parked(uint64_t d)
{
	if (S2_USE_COUNTED)
		d = desc_keep_exec(d);
	return (d & ~(DESC_VALID | DESC_TAG)) | DESC_BUSY | DESC_TAGGED | DESC_OWED;
}

/* In a detached table: reported. Late calls wait, and begin at the root again. */
static inline uint64_t desc_make_told(uint64_t d)
{
	return (d & ~(DESC_VALID | DESC_TAGGED)) | DESC_BUSY | DESC_REMAKE;
}

static inline unsigned desc_tag(uint64_t d)
{
	if (!S2_USE_TAGS || !(d & DESC_TAGGED))
		return 0;
	return (unsigned)((d & DESC_TAG_LOW) >> DESC_TAG_SHIFT |
			  (d & DESC_TAG_HIGH) >> 54);
}

static inline uint64_t desc_make_table(const struct s2 *s2, uint64_t table_pa)
{
	return desc_from_oa(s2, table_pa) | DESC_TABLE | DESC_VALID;
}

/*
 * MemAttr[3:0]. The Device encodings 0b00xx and Normal-NC 0b0101 are the same
 * with and without FWB; write-back is 0b1111 without, 0b0110 (force) with it.
 */
#define MEMATTR_NC 0x5u
#define MEMATTR_WB 0xfu
#define MEMATTR_FWB_WB 0x6u
#define MEMATTR_FWB_S1 0x7u

static inline unsigned desc_memattr(uint64_t d)
{
	return (unsigned)((d & DESC_MEMATTR) >> 2);
}

/*
 * Whether the memory behind a leaf must be cleaned when the guest loses it, or
 * before it gets it: Device never; Normal unless FWB forces write-back, because
 * the guest may have, or have through its own attributes, a non-cacheable alias
 * beside the hypervisor's cacheable one. With FWB that leaves NC and S1.
 */
static inline bool desc_needs_clean(uint32_t features, uint64_t d)
{
	unsigned m = desc_memattr(d);

	if (!(m & 0xcu))
		return false;
	return !((features & S2_FEAT_FWB) && m == MEMATTR_FWB_WB);
}

/* Who may execute, of S2_XU and S2_XP, as the XN field, and back. */
static inline uint64_t desc_xn(s2_attr_t attr)
{
	/* By S2_XP and S2_XU: 0b10, 0b01 for XU, 0b11 for XP, 0b00 for both. */
	if (!(attr & S2_X))
		return UINT64_C(2) << DESC_XN_SHIFT;
	return (UINT64_C(0x36) >> (attr & S2_X) / S2_XU * 2 & 3) << DESC_XN_SHIFT;
}

static inline s2_attr_t desc_exec(uint64_t d)
{
	uint64_t xn = (d & DESC_XN) >> DESC_XN_SHIFT;

	return (xn & 2 ? 0 : S2_XU) | ((xn >> 1 ^ xn) & 1 ? 0 : S2_XP);
}

/* SH[1:0]: 0b11 inner, 0b10 outer, 0b00 not shareable. */
static inline uint64_t desc_sh(s2_attr_t attr)
{
	s2_attr_t sh = attr & S2_SH_MASK;

	return (sh == S2_SH_INNER ? 3u : sh == S2_SH_OUTER ? 2u : 0u) * (DESC_SH / 3);
}

static inline unsigned memattr_of(const struct s2 *s2, s2_attr_t attr)
{
	static const uint8_t memattr[] = { 0, MEMATTR_NC, MEMATTR_FWB_S1, 0, 0, 1, 2, 3 };

	if (attr & S2_MEM_MASK)
		return memattr[(attr & S2_MEM_MASK) >> 4];
	return s2->features & S2_FEAT_FWB ? MEMATTR_FWB_WB : MEMATTR_WB;
}

/* The leaf for @attr at @level that maps to @oa. */
static inline uint64_t desc_leaf(const struct s2 *s2, uint64_t oa, s2_attr_t attr,
				 int level)
{
	uint64_t d = DESC_VALID | DESC_AF | desc_from_oa(s2, oa) | desc_xn(attr);

	/* With LPA2 shareability is VTCR_EL2.SH0 for all. */
	if (wide_of(s2) != S2_WIDE_LPA2)
		d |= desc_sh(attr);
	d |= (uint64_t)memattr_of(s2, attr) << 2;
	if (level == LAST_LEVEL)
		d |= DESC_TABLE;
	/* S2_R and S2_W side by side, as S2AP[0] and S2AP[1] are. */
	d |= (uint64_t)(attr & (S2_R | S2_W)) * DESC_S2AP_R;
	d |= (uint64_t)(attr & S2_DBM) * (DESC_DBM / S2_DBM);
	d |= (uint64_t)(attr & S2_SW_MASK) << (DESC_SW_SHIFT - 8);
	return d;
}

static inline s2_attr_t desc_attr(const struct s2 *s2, uint64_t d)
{
	unsigned m = desc_memattr(d);
	s2_attr_t a = S2_MEM_WB;

	if (!(m & 0xcu))
		a = S2_MEM_DEV_nGnRnE | m << 4;
	else if (m == MEMATTR_NC)
		a = S2_MEM_NC;
	else if (m == MEMATTR_FWB_S1)
		a = S2_MEM_S1;
	a |= (s2_attr_t)(d / DESC_S2AP_R) & (S2_R | S2_W);
	if (d & DESC_DBM)
		a |= S2_DBM;
	if (wide_of(s2) != S2_WIDE_LPA2 && (d & DESC_SH) != DESC_SH)
		a |= d & DESC_SH ? S2_SH_OUTER : S2_SH_NONE;
	return a | desc_exec(d) | S2_SW(d >> DESC_SW_SHIFT);
}

/* The bits that desc_attr() reads, and what sort of entry it is. */
static inline uint64_t desc_attr_mask(const struct s2 *s2)
{
	return DESC_TABLE | DESC_VALID | DESC_MEMATTR | DESC_S2AP_R | DESC_S2AP_W |
	       (wide_of(s2) == S2_WIDE_LPA2 ? 0 : DESC_SH) | DESC_DBM | DESC_XN | DESC_SW;
}

/*
 * What may differ between two leaves without break-before-make [RWHZWS]: what they
 * permit, and who keeps book of it. Not the shareability.
 */
#define DESC_IN_PLACE (DESC_S2AP_R | DESC_S2AP_W | DESC_DBM | DESC_XN | DESC_AF | DESC_SW)

/* Hardware has seen a write, or takes the next one for seen. */
static inline bool desc_dirty(uint64_t d)
{
	return (d & (DESC_DBM | DESC_S2AP_W)) == (DESC_DBM | DESC_S2AP_W);
}

/*
 * Whether hardware may write to valid leaf @d, if it is let: to set the access flag that
 * is missing, or the dirty state of a clean one. Any other it only reads, so under the
 * lock a plain store loses nothing (Arm ARM, "Hardware management of the Access flag and
 * dirty state").
 */
static inline bool desc_hw_writes(uint64_t d)
{
	return !(d & DESC_AF) || (d & (DESC_DBM | DESC_S2AP_W)) == DESC_DBM;
}

/*
 * What two entries of one table must agree in for an unmap to do the same to both: leaf
 * or table, valid, or busy and whose, and whether their memory needs a clean.
 */
static inline uint64_t desc_kind(uint64_t d)
{
	return DESC_VALID | DESC_TABLE | DESC_MEMATTR | DESC_BUSY | DESC_REMAKE |
	       DESC_TAGGED | (d & DESC_TAGGED ? DESC_TAG : 0);
}

/*
 * @d in the place of @old, both of one page, without a break: what hardware has seen
 * is kept, and a run stays one.
 */
static inline uint64_t desc_in_place(uint64_t old, uint64_t d)
{
	d |= old & DESC_CONT;
	if (old & DESC_DBM && d & DESC_DBM)
		d |= old & DESC_S2AP_W;
	return d;
}

/* The leaf one level down that maps the i-th part of what block @d maps. */
static inline uint64_t desc_part_of_block(const struct s2 *s2, uint64_t d, int level,
					  unsigned i)
{
	/* Below the block's size every bit of the address is where it belongs. */
	d += (uint64_t)i << level_shift(s2, level + 1);
	if (level + 1 == LAST_LEVEL)
		d |= DESC_TABLE;
	return (d | DESC_AF) & ~DESC_CONT;
}

#endif /* STAGE2_SRC_DESC_H */
