/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage-2 descriptors and VTCR_EL2 as the machine reads them, for the three granules
 * and both layouts of 52-bit addresses. It shares no code with the engine.
 */
#ifndef STAGE2_MODEL_DESC_H
#define STAGE2_MODEL_DESC_H

#include <stdbool.h>
#include <stdint.h>

enum desc_kind { DESC_INVALID, DESC_LEAF, DESC_TABLE };

/* clang-format off */
struct desc {
	enum desc_kind kind;
	uint64_t pa;
	uint64_t size;		/* bytes that a leaf translates */
	bool af, read, write, dbm, contiguous, nt;
	bool exec, exec1, exec0;	/* at EL1 or EL0; at EL1; at EL0 */
	bool normal;
	bool weak;		/* Normal, and the guest can make it non-cacheable */
	uint8_t sw;		/* software bits [58:55] */
	uint16_t type;		/* fields that only break-before-make may change */
};
/* Bits of type that FEAT_BBM lets change in place. */
#define TYPE_CONTIGUOUS (1u << 6)
#define TYPE_NT (1u << 7)
#define TYPE_SIZE (TYPE_CONTIGUOUS | TYPE_NT)

/* What the machine needs to know to read an entry. */
struct desc_mode {
	bool fwb, xnx, nt;	/* nt: FEAT_BBM is there, so nT means something */
	bool af;		/* the access flag is taken as set */
	/* By desc_layout(): */
	bool ds, lpa;		/* as in struct desc_tree */
	uint8_t granule;	/* 12, 14 or 16 */
	int8_t top_block;	/* the highest level that has blocks */
	uint64_t address;	/* bits that are in the same place in entry and OA */
};
void desc_layout(struct desc_mode *mode, unsigned granule, bool ds, bool lpa);
/* clang-format on */

static inline unsigned desc_shift(unsigned granule, int level)
{
	return granule + (granule - 3) * (unsigned)(3 - level);
}

static inline uint64_t desc_span(unsigned granule, int level)
{
	return UINT64_C(1) << desc_shift(granule, level);
}

bool desc_valid(uint64_t value, int level, const struct desc_mode *mode);
struct desc desc_read(uint64_t value, int level, const struct desc_mode *mode);

/* The number of entries in a Contiguous run; 1: there are no runs at this level. */
unsigned desc_run(unsigned granule, int level);

/* clang-format off */
/* The shape of a tree; false if the machine does not support this VTCR_EL2. */
struct desc_tree {
	unsigned ipa_bits, pa_bits;	/* T0SZ; PS, as far as the layout goes */
	unsigned roots;		/* concatenated root tables */
	int start_level;
	uint8_t granule;
	bool ds;		/* VTCR_EL2.DS: LPA2's layout (4K, 16K) */
	bool lpa;		/* 64K with a PA size of 52 bits */
	bool wide_root;		/* VTTBR_EL2[5:2] are address bits */
	bool ha, hd;
};
bool desc_vtcr(uint64_t vtcr, unsigned granule, bool lpa2, struct desc_tree *t);
/* clang-format on */

/* VTCR_EL2.DS; it has no effect with 64 KiB granules. */
bool desc_ds(uint64_t vtcr, unsigned granule);

/* The root table that VTTBR_EL2 points to. */
uint64_t desc_root(uint64_t vttbr, const struct desc_tree *t);

#endif /* STAGE2_MODEL_DESC_H */
