/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine's own reading of stage-2 descriptors and VTCR_EL2, for the 4 KiB
 * granule without LPA2. The engine has another one; neither knows the other.
 */
#ifndef STAGE2_MODEL_DESC_H
#define STAGE2_MODEL_DESC_H

#include <stdbool.h>
#include <stdint.h>

enum desc_kind { DESC_INVALID, DESC_LEAF, DESC_TABLE };

struct desc {
	enum desc_kind kind;
	uint64_t pa;
	uint64_t size;		/* bytes the entry translates */
	bool af, write, exec, dbm;
	bool normal;
	bool weak;		/* Normal, and the guest can get past the cache */
	uint16_t type;		/* what may change only by break-before-make */
};

/* What the machine needs to know to read an entry. */
struct desc_mode {
	bool fwb, xnx;
};

static inline unsigned desc_shift(int level)
{
	return 39u - 9u * (unsigned)level;
}

static inline uint64_t desc_span(int level)
{
	return UINT64_C(1) << desc_shift(level);
}

struct desc desc_read(uint64_t value, int level, struct desc_mode mode);
bool desc_valid(uint64_t value, int level);

/* The shape of a tree; false if VTCR_EL2 asks for what the machine has not. */
struct desc_tree {
	unsigned ipa_bits, roots;	/* concatenated root tables */
	int start_level;
	bool ha, hd;
};
bool desc_vtcr(uint64_t vtcr, struct desc_tree *t);

#endif /* STAGE2_MODEL_DESC_H */
