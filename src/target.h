/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a map wants at each address of its range. A replacing map breaks what is not that.
 */
#ifndef STAGE2_SRC_TARGET_H
#define STAGE2_SRC_TARGET_H

#include "gather.h"

struct target {
	uint64_t delta;	     /* PA - IPA */
	uint64_t start, end; /* of the whole range */
	uint64_t max_leaf;   /* bytes */
	uint64_t note;	     /* an annotation in place of leaves; or 0 */
	s2_attr_t attr;
	uint32_t flags;
	int top; /* no leaf above this level */
};

/* The arguments of s2_map(); target.c. */
int check_map(const struct s2 *s2, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, uint32_t flags, const struct s2_op *op);

/* The first level at which a map with @flags may make leaves. */
int target_top(const struct s2 *s2, uint32_t flags);

/* The level of the leaf to be made for @ipa: the largest that fits. */
int target_level(const struct s2 *s2, const struct target *t, uint64_t ipa);

uint64_t target_desc(const struct s2 *s2, const struct target *t, uint64_t ipa,
		     int level);

/*
 * What leaf @d at @level becomes without a break, where a leaf at @want would be made: it
 * maps the same memory with the same type. 0 if it has to be broken. With S2_MAP_REPLACE
 * a larger leaf stays only if it permits the same and no flag asks for smaller ones; and
 * smaller ones are replaced. Without it leaves of any size stay; TARGET_PART if the leaf
 * reaches outside of the range and its permissions would change.
 */
#define TARGET_PART UINT64_C(1)
uint64_t target_in_place(const struct s2 *s2, const struct target *t, uint64_t d,
			 uint64_t ipa, int level, int want);

/* Tables that [ipa, end), inside one empty entry at @level, needs. */
uint64_t target_tables(const struct s2 *s2, const struct target *t, uint64_t ipa,
		       uint64_t end, int level);

#endif /* STAGE2_SRC_TARGET_H */
