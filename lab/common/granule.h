/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Levels and output addresses for each granule. The lab does not use the engine's
 * functions for this, because the lab checks the engine.
 */
#ifndef STAGE2_LAB_GRANULE_H
#define STAGE2_LAB_GRANULE_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of IPA below one entry at @level: 12, 21, 30, ... for 4 KiB. */
static inline unsigned level_shift(unsigned page_shift, int level)
{
	return (page_shift - 3) * (unsigned)(4 - level) + 3;
}

static inline uint64_t level_size(unsigned page_shift, int level)
{
	return UINT64_C(1) << level_shift(page_shift, level);
}

/* Entries of one table. */
static inline unsigned table_entries(unsigned page_shift)
{
	return 1u << (page_shift - 3);
}

static inline uint64_t round_up(uint64_t n, uint64_t to)
{
	return n % to ? n - n % to + to : n;
}

/* A mask of bits [hi:lo]. */
static inline uint64_t granule_mask(unsigned hi, unsigned lo)
{
	return (UINT64_MAX >> (63 - hi)) & (UINT64_MAX << lo);
}

/*
 * The output address of a descriptor is in bits [47:12], [47:14] or [47:16]. @wide:
 * descriptors hold 52 bits. With LPA2 OA[51:50] are in bits [9:8]; with 64 KiB granules
 * OA[51:48] are in bits [15:12].
 */
static inline uint64_t oa_of_desc(unsigned page_shift, bool wide, uint64_t desc)
{
	if (wide && page_shift < 16)
		return (desc & granule_mask(49, page_shift)) | (desc & granule_mask(9, 8))
								       << 42;
	if (wide)
		return (desc & granule_mask(47, 16)) | (desc & granule_mask(15, 12))
							       << 36;
	return desc & granule_mask(47, page_shift);
}

static inline uint64_t oa_to_desc(unsigned page_shift, bool wide, uint64_t oa)
{
	uint64_t low = oa & granule_mask(wide && page_shift < 16 ? 49 : 47, page_shift);

	if (!wide)
		return low;
	return low | (page_shift < 16 ? oa >> 42 & granule_mask(9, 8) :
					oa >> 36 & granule_mask(15, 12));
}

#endif /* STAGE2_LAB_GRANULE_H */
