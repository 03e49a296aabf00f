/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ordering of a PE's accesses and TLBIs. The litmus machine and the stage-2 machine
 * share it, so that the agreement of the litmus machine with Arm's model is evidence
 * for the stage-2 machine.
 *
 * Each PE has a window of accesses in program order, issued and not performed.
 * A store in the window is visible to no other PE and to no walker; once
 * performed it is visible to all (Arm is multi-copy atomic). Any access may be
 * performed before an older one unless a rule here forbids it. A TLBI issued is
 * on a list until it has taken effect on each PE, at any time and in any order.
 *
 * Kept out, because nothing here depends on it: speculation past a branch, a PE's
 * walker that sees the PE's own stores early, performing an access before an
 * older one of the same PE has been translated.
 *
 * All fields are bytes: the structures are part of states compared by content.
 */
#ifndef STAGE2_MODEL_EXPLORE_ORDER_H
#define STAGE2_MODEL_EXPLORE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#define ORDER_PES 4
#define ORDER_WINDOW 8
#define ORDER_TLBIS 6
#define ORDER_NO_PAGE 0xff /* an address whose translation cannot change */

enum order_kind { ORDER_NONE, ORDER_LOAD, ORDER_STORE, ORDER_DMB, ORDER_DMB_ST };
enum order_xlat { ORDER_TODO, ORDER_DONE, ORDER_FAULT };

struct order_op {
	uint8_t kind;
	uint8_t sync; /* load-acquire, store-release */
	uint8_t page; /* the page it is addressed by */
	uint8_t xlat; /* how far its translation is */
	uint8_t pa;   /* the location, once translated */
	uint8_t val;  /* store: the value; load: the register */
	uint8_t tag;  /* the machine's own */
};

struct order_tlbi {
	uint8_t kind; /* the machine's own; 0: no TLBI */
	uint8_t arg;
	uint8_t pe;	/* who issued it */
	uint8_t todo;	/* PEs on which it has not taken effect, a bit each */
	uint8_t waited; /* the issuer's DSB ISH has passed */
};

struct order_state {
	struct order_op op[ORDER_PES][ORDER_WINDOW];
	uint8_t nr_ops[ORDER_PES];
	struct order_tlbi tlbi[ORDER_TLBIS];
	uint8_t nr_tlbis;
};

enum order_barrier {
	ORDER_DSB_ISHST,
	ORDER_DSB_ISHLD,
	ORDER_DSB_ISH,
	ORDER_DSB_SY,
	ORDER_DSB_NSH,
	ORDER_ISB,
};

/* Adds to the window; false if it is full. */
bool order_issue(struct order_state *s, unsigned pe, struct order_op op);
/* No older access or barrier keeps access i from being performed. */
bool order_ready(const struct order_state *s, unsigned pe, unsigned i);
/* Every older access of the PE is translated: access i is not speculative. */
bool order_certain(const struct order_state *s, unsigned pe, unsigned i);
/* The value that load i takes from an older store of its PE; -1: it reads memory. */
int order_forward(const struct order_state *s, unsigned pe, unsigned i);
/* Access i is performed. */
void order_remove(struct order_state *s, unsigned pe, unsigned i);
/* Access i faults: it and everything younger is discarded. */
void order_squash(struct order_state *s, unsigned pe, unsigned i);

bool order_tlbi(struct order_state *s, unsigned pe, uint8_t kind, uint8_t arg,
		uint8_t on);
/* TLBI t has taken effect on pe. */
void order_landed(struct order_state *s, unsigned t, unsigned pe);

/*
 * True if the barrier can complete; s is then updated. With @ets2 a DSB ISH is enough
 * for the PE's own TLBIs, otherwise a later ISB is needed too.
 */
bool order_barrier(struct order_state *s, unsigned pe, enum order_barrier b, bool ets2);

#endif /* STAGE2_MODEL_EXPLORE_ORDER_H */
