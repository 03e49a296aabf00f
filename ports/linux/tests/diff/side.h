/* SPDX-License-Identifier: GPL-2.0-only */
/* The stage-2 functions of one kernel, for a program that calls two of them. */
#ifndef STAGE2_TESTS_DIFF_SIDE_H
#define STAGE2_TESTS_DIFF_SIDE_H

#include <stdbool.h>
#include <stdint.h>

/* In the table memory: all bits that only addresses of 52 bits have. */
#define HIGH (SHIM_52BIT ? UINT64_C(0xd) << 48 : 0)
#define PA_BITS (SHIM_52BIT ? 52 : 48)

/* Permissions and memory types. Before 7.x XU and XP are one permission. */
enum { XU = 1, XP = 2, X = XU | XP, W = 4, R = 8, DEVICE = 16, NC = 32 };

struct side {
	const char *name;
	void (*open)(bool fwb, bool tlbirange, unsigned ipa_bits);
	int (*map)(uint64_t ipa, uint64_t size, uint64_t pa, uint64_t prot, bool fault);
	int (*unmap)(uint64_t ipa, uint64_t size);
	int (*wrprotect)(uint64_t ipa, uint64_t size);
	int (*relax)(uint64_t ipa, uint64_t prot);
	/* In 7.x it returns nothing. */
	uint64_t (*mkyoung)(uint64_t ipa);
	bool (*young)(uint64_t ipa, uint64_t size, bool clear);
	int (*split)(uint64_t ipa, uint64_t size);
	/* The leaf that translates an address: its descriptor; 0: none. */
	uint64_t (*leaf)(uint64_t ipa, int *level);
	/* How many table pages there are. */
	uint64_t (*tables)(void);
	/* There is memory for n more tables; -1: for all. Ours only. */
	void (*starve)(int n);
	/*
	 * A fault of a rival maps a page, just before the next swap of an entry. The
	 * cache has what KVM fills it with for a fault, until rival_left() is called: it
	 * returns whether there was no swap. Ours only.
	 */
	void (*rival)(uint64_t ipa, uint64_t pa, uint64_t prot);
	bool (*rival_left)(void);
};

extern const struct side side_stock, side_ours;

#endif /* STAGE2_TESTS_DIFF_SIDE_H */
