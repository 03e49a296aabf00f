/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The expected content of a VM's address space, leaf by leaf, to compare the engine's
 * tables with. There are no tables: a block is one leaf, and pages are kept in arrays of
 * 2 MiB. Uses of frames are counted over all VMs, because the host may map a frame at
 * several addresses (KSM). Memory and time grow with the leaves, not with their size.
 */
#ifndef STAGE2_LAB_FLATMAP_H
#define STAGE2_LAB_FLATMAP_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stage2/stage2.h>

#define FLAT_PAGE UINT64_C(0x1000)

struct flat_leaf {
	uint64_t pa; /* of its start */
	uint16_t attr;
	uint8_t level;	      /* 0: nothing is mapped */
	bool young : 1;	      /* the access flag */
	bool wrprotected : 1; /* it has lost its write permission to flat_wrprotect() */
};

/* A block, or the pages of 2 MiB. */
struct flat_node {
	RB_ENTRY(flat_node) rb;
	uint64_t ipa, size;
	unsigned used; /* leaves */
	struct flat_leaf leaf[];
};
RB_HEAD(flat_tree, flat_node);

/* Consecutive frames that no VM maps any more. */
struct flat_run {
	uint64_t pa, size;
};

/* Uses of a frame of the size of a leaf, and of smaller frames in it. */
struct flat_frame {
	uint64_t key;
	uint64_t uses, below;
};

struct flat_frames {
	struct flat_frame *slot;
	size_t slots, taken; /* taken: slots with a key, in use or not */
	uint64_t mapped;     /* leaves of all VMs */
	uint64_t bytes;	     /* what they map */
	struct flat_run *freed;
	size_t freed_n, freed_room;
};

struct flatmap {
	struct flat_tree tree;
	struct flat_frames *frames;
	struct flat_node *last; /* the last one found */
	uint64_t pages;
};

/* The range that an operation acted on: whole leaves. */
struct flat_range {
	uint64_t start, end;
	uint64_t pages; /* mapped pages of 4 KiB in it */
	bool cut;	/* a block extends beyond the requested range */
};

void flat_init(struct flatmap *fm, struct flat_frames *frames);
/* Unmaps everything and frees the pages; frames->freed grows. False: memory is short. */
bool flat_free(struct flatmap *fm);
void flat_frames_free(struct flat_frames *frames);

/* False: memory is short. */
bool flat_map(struct flatmap *fm, uint64_t ipa, uint64_t pa, uint64_t size,
	      s2_attr_t attr, struct flat_range *r);
bool flat_unmap(struct flatmap *fm, uint64_t ipa, uint64_t size, struct flat_range *r);

/* The leaf that maps @ipa, or NULL; *start, if asked for: where it begins. */
const struct flat_leaf *flat_get(struct flatmap *fm, uint64_t ipa, uint64_t *start);
uint64_t flat_leaf_size(const struct flat_leaf *leaf);
/* The first mapped address >= @ipa and < @end, or @end. */
uint64_t flat_next(struct flatmap *fm, uint64_t ipa, uint64_t end);

/* These change every leaf that the range touches, as a whole. */
void flat_wrprotect(struct flatmap *fm, uint64_t ipa, uint64_t size);
/* Return: whether this gave back what flat_wrprotect() took away. */
bool flat_relax(struct flatmap *fm, uint64_t ipa, s2_attr_t perms);
void flat_mkyoung(struct flatmap *fm, uint64_t ipa);
/* Return: whether any leaf was young. */
bool flat_age(struct flatmap *fm, uint64_t ipa, uint64_t size, bool clear);
/* False: memory is short. */
bool flat_split(struct flatmap *fm, uint64_t ipa, uint64_t size);

#endif /* STAGE2_LAB_FLATMAP_H */
