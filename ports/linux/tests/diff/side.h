/* SPDX-License-Identifier: GPL-2.0-only */
/* The stage-2 functions of one kernel, for a program that calls two of them. */
#ifndef STAGE2_TESTS_DIFF_SIDE_H
#define STAGE2_TESTS_DIFF_SIDE_H

#include <stdbool.h>
#include <stdint.h>

struct side {
	const char *name;
	void (*open)(bool fwb, bool tlbirange, unsigned ipa_bits);
	int (*map)(uint64_t ipa, uint64_t size, uint64_t pa, uint64_t prot, bool fault);
	int (*unmap)(uint64_t ipa, uint64_t size);
	int (*wrprotect)(uint64_t ipa, uint64_t size);
	int (*relax)(uint64_t ipa, uint64_t prot);
	uint64_t (*mkyoung)(uint64_t ipa);
	bool (*young)(uint64_t ipa, uint64_t size, bool clear);
	int (*split)(uint64_t ipa, uint64_t size);
	/* The leaf that translates an address: its descriptor; 0: none. */
	uint64_t (*leaf)(uint64_t ipa, int *level);
	/* How many table pages there are. */
	uint64_t (*tables)(void);
};

extern const struct side side_stock, side_ours;

#endif /* STAGE2_TESTS_DIFF_SIDE_H */
