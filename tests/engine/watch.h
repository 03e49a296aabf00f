/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A referee on the counting port: looks at every event while the engine runs and
 * fails the test at the first that must not be. It sees order, not addresses;
 * judged.c has the machine model for those.
 *
 * - An entry never goes from valid to another valid value, but for permissions,
 *   access flag and software bits (P9).
 * - Between a break and the end of its invalidation no busy entry becomes
 *   anything else, no memory is cleaned, no table is freed (P2, P9), and no call
 *   returns (P7). A parked leaf has been invalidated by an earlier call: it may.
 * - No call returns between a clean and a DSB SY (P7).
 * - TLBIs stand between vmid_enter and vmid_leave, which the call undoes.
 * - A table's link is a release store, or a swap, which releases too.
 * - A forbidden table is not read (P6).
 */
#ifndef TESTS_ENGINE_WATCH_H
#define TESTS_ENGINE_WATCH_H

#include "bed.h"

struct watch {
	bool break_pending; /* broken, not invalidated completely yet */
	bool stage1;	    /* VMALLE1IS or VMALLS12E1IS since, no DSB ISH yet */
	bool stage2;	    /* by address since, no DSB ISH yet */
	bool stage2_done;   /* ... completed by one */
	bool clean_pending; /* cleaned, no DSB SY since */
	bool entered;	    /* the VMID */
	bool invalidated;   /* something was, and completely, in this call */
	uint8_t *forbidden; /* a byte for each table page, or NULL */
	uint64_t links;	    /* release stores of a table entry */
	/* if set: whether memory is that of a leaf which was parked before this call */
	bool (*parked)(uint64_t pa);
	/* called too, if set */
	void (*also)(enum count_event what, uint64_t at, uint64_t value);
};

/* From now on; one at a time. */
void watch_start(struct bed *b, struct watch *w);
void watch_stop(struct bed *b);
/* Around each call of the engine. */
void watch_call(struct watch *w);
void watch_return(struct watch *w);
/*
 * The linked tables wholly inside the range that have no table below them must
 * not be read from now on.
 */
void watch_forbid(struct bed *b, struct watch *w, uint64_t ipa, uint64_t size);

#endif
