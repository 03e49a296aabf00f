/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A second judge, for small machines: it keeps what each PE may hold as plain sets, entry
 * by entry and line by line, and shares nothing with the machine. Invalidations are
 * complete sequences; what is between their instructions, the explorer checks
 * (tests/litmus).
 *
 * A root has 2 entries, each for a table of 2 pages. Every page of tables may be a root.
 * PE0 changes tables, PE1 and PE2 run guests.
 */
#ifndef STAGE2_TESTS_NAIVE_H
#define STAGE2_TESTS_NAIVE_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define TABLES 10u	/* pages for tables */
#define SLOTS 2u	/* entries of a table that are used */
#define IPAS (SLOTS * SLOTS)
#define FRAMES 4u
#define LINES 64u	/* of a frame */
#define VMIDS 3u
#define CTXS 24u	/* trees and VMIDs, in all */

/* The value of an entry: nothing, a table, a page. */
enum kind { WB, NC, DEVICE, ANY, KINDS }; /* ANY: Normal, as stage 1 chooses */
#define EMPTY 0u
#define TO_TABLE(p) (1 + (p))
#define TO_FRAME(frame, kind, writable) (16 + (frame) * 8 + (kind) * 2 + (writable))
static inline bool is_table(unsigned value)
{
	return value > EMPTY && value < 16;
}

enum what {
	TAKE, GIVE, SET_ROOT, SET_PAGE, ENTER, LEAVE, DSB, INVALIDATE, CLEAN, HOST_WRITES,
	CLAIM_UNMAPPED, CLAIM_PROTECTED, CLAIM_FREE, WHATS
};
enum reach { ALL_VMIDS = IPAS, WHOLE_VMID };

struct event {
	enum what what;
	unsigned page;	/* a table, a root */
	unsigned slot;	/* an entry; of INVALIDATE: an IPA, or enum reach */
	unsigned value;	/* of an entry; a VMID; of a clean: invalidates too */
	unsigned pe, frame, offset, size;
	unsigned dsb;	/* INVALIDATE: begins with one; CLEAN: 0: none, 1: ISH, 2: SY */
};
/* clang-format on */

struct line {
	uint64_t host, guest[3], clean, civac; /* steps; guest: by WB, NC, ANY */
	/* Cleans that no DSB has completed; done: the DSB was an ISH. */
	uint64_t pending, pending_civac;
};

/* clang-format off */
struct ctx {
	bool used, active;	/* active: PEs may hold something */
	unsigned root, vmid, tree;
	unsigned running;	/* a mask of PEs */
	uint64_t quiet;		/* PEs hold nothing of what is mapped since this step */
	uint32_t walks[SLOTS];	/* tables held for an entry of the root, a bit each */
	uint64_t leaves[IPAS];	/* values held, a bit each */
};

struct naive {
	uint64_t step;
	bool fwb;
	bool taken[TABLES], known[TABLES], doomed[TABLES];
	unsigned tree[TABLES];	/* the number of the tree whose root it is */
	unsigned trees;
	int linked[TABLES];	/* root * SLOTS + slot; -1: nowhere */
	unsigned mem[TABLES][SLOTS];
	uint64_t seen[TABLES][SLOTS];	/* values that a walk may find, a bit each */
	struct ctx ctx[CTXS];
	bool cold[VMIDS];	/* PEs may hold anything under it */
	struct line line[FRAMES][LINES];
	/* Frames that were mapped at an IPA and are gone; the step since when, or 0. */
	uint64_t gone[TABLES][IPAS][FRAMES], due[TABLES][IPAS][FRAMES], lost[FRAMES];
};
/* clang-format on */

void naive_init(struct naive *n, bool fwb, bool cold);
/* True: it is wrong, by some rule. Then the state means nothing any more. */
bool naive_event(struct naive *n, const struct event *e);
/* The table is detached, and PEs may still walk to it. */
bool naive_in_limbo(struct naive *n, unsigned page);
/* The event is possible at all. */
bool naive_can(struct naive *n, const struct event *e);

#endif /* STAGE2_TESTS_NAIVE_H */
