/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The expected content of a VM's address space, page by page, to compare the engine's
 * tables with. There are no levels: each page has the level of its leaf. Uses of frames
 * are counted over all VMs, because the host may map a frame at several addresses (KSM).
 */
#ifndef STAGE2_LAB_FLATMAP_H
#define STAGE2_LAB_FLATMAP_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stage2/stage2.h>

#define FLAT_PAGE UINT64_C(0x1000)
#define FLAT_CHUNK 512u
/* The most pages mapped at once by all VMs: 64 GiB, which takes 260 MB of memory. */
#define FLAT_MAX_PAGES (UINT64_C(1) << 24)

struct flat_page {
	uint64_t pa;
	uint16_t attr;
	uint8_t level; /* of the leaf; 0: nothing is mapped */
	uint8_t young; /* the access flag */
};

struct flat_chunk {
	RB_ENTRY(flat_chunk) node;
	uint64_t ipa; /* of page[0] */
	unsigned used;
	struct flat_page page[FLAT_CHUNK];
};
RB_HEAD(flat_tree, flat_chunk);

/* Consecutive frames that no VM maps any more. */
struct flat_run {
	uint64_t pa, size;
};

struct flat_frames {
	struct {
		uint64_t frame, count;
	} * slot;
	size_t slots, used; /* used: slots with a frame, mapped or not */
	uint64_t mapped;    /* mapped pages of all VMs */
	struct flat_run *freed;
	size_t freed_n, freed_room;
};

struct flatmap {
	struct flat_tree tree;
	struct flat_frames *frames;
	struct flat_chunk *last; /* the last one found */
	uint64_t pages;
};

/* The range that an operation acted on: whole leaves. */
struct flat_range {
	uint64_t start, end;
	uint64_t pages; /* mapped pages in it */
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

/* The page that maps @ipa, or NULL. */
const struct flat_page *flat_get(struct flatmap *fm, uint64_t ipa);
/* The first mapped address >= @ipa and < @end, or @end. */
uint64_t flat_next(struct flatmap *fm, uint64_t ipa, uint64_t end);

/* These change every leaf that the range touches, as a whole. */
void flat_wrprotect(struct flatmap *fm, uint64_t ipa, uint64_t size);
void flat_relax(struct flatmap *fm, uint64_t ipa, s2_attr_t perms);
void flat_mkyoung(struct flatmap *fm, uint64_t ipa);
/* Return: whether any leaf was young. */
bool flat_age(struct flatmap *fm, uint64_t ipa, uint64_t size, bool clear);
void flat_split(struct flatmap *fm, uint64_t ipa, uint64_t size);

#endif /* STAGE2_LAB_FLATMAP_H */
