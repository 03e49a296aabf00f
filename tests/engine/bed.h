/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the unit tests share: an instance on the counting port, and its end. */
#ifndef TESTS_ENGINE_BED_H
#define TESTS_ENGINE_BED_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flat.h"
#include "stage2_port.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PAGE (4 * KIB)
#define ENTRIES 512u

#define RW (S2_R | S2_W)
#define RWX (S2_R | S2_W | S2_X)

struct bed {
	struct count_port port;
	struct s2 s2;
};

/* @pages: table pages beside the root. */
void bed_open(struct bed *b, unsigned ipa_bits, uint32_t features, uint32_t pages);
/* The same for any configuration; its port is set here. */
void bed_open_as(struct bed *b, struct s2_config cfg, uint32_t pages);
/* Destroys the instance; nothing may be left of it. */
void bed_close(struct bed *b);

/* Table pages in use beside the root, busy and in limbo included. */
uint64_t bed_tables(const struct bed *b);
/* Right metadata, nothing busy, every table page that is not free is linked. */
void bed_check(struct bed *b);

/* The counters since the last call of bed_cost(). */
struct cost {
	uint64_t tlbi, dsb, isb, clean_bytes, exec_bytes, agents;
};
struct cost bed_cost(struct bed *b);

void bed_map(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr,
	     uint32_t flags);
void bed_unmap(struct bed *b, uint64_t ipa, uint64_t size, uint32_t flags);
/* The same by leaves of one level. */
void bed_map_leaves(struct bed *b, uint64_t ipa, uint64_t pa, uint64_t size, int level,
		    s2_attr_t attr);
struct s2_mapping bed_lookup(struct bed *b, uint64_t ipa);

/* Bytes of a parked leaf that the step which parked it has cleaned. */
#define PARKED S2_BUDGET_BYTES_MIN
/*
 * Park a leaf: map a level-1 block at @ipa to @pa and make the first step of an unmap of
 * it, by an @op with the least budget of bytes. To be ended by bed_end_park().
 */
void bed_park(struct bed *b, struct s2_op *op, uint64_t ipa, uint64_t pa);
void bed_end_park(struct bed *b, struct s2_op *op, uint64_t ipa);

/* The entry at a level that translates an address; the tables above it must be there. */
uint64_t *bed_entry(struct bed *b, uint64_t ipa, int level);

/* FWB or not, TLBIRANGE or not. */
#define FEATURE_SETS 4
uint32_t feature_set(unsigned i);

#endif
