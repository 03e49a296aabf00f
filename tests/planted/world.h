/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One instance of the engine on the machine model, and the checks for every call: the
 * rules of the machine, the promises of the call, and these checks of our own.
 *
 * mapping-differs	what is mapped is not what the calls so far should have left
 * meta-mismatch	a table's state word is not what is in the table
 * table-leaked		a table page is taken and neither linked nor in limbo
 * wrong-return		a call did not return what it should
 *
 * PEs 0 and 1 run the engine, in turns. PEs 2 and 3 run the guest. A verdict ends the
 * program.
 */
#ifndef TESTS_PLANTED_WORLD_H
#define TESTS_PLANTED_WORLD_H

#include <stage2/stage2.h>
#include "machine.h"
#include "stage2_port.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PAGE (4 * KIB)
#define BLOCK (2 * MIB)

#define RW (S2_R | S2_W)
#define RWX (S2_R | S2_W | S2_X)

/* How the calls are made: under a lock, beside others, or in a batch if possible. */
enum how { ALONE, SHARED, BATCH };

struct setup {
	uint32_t features, errata; /* of the engine; the machine has the same */
	uint32_t machine;	   /* S2M_*, in addition */
	uint8_t ipa_bits;	   /* 0: 40, which is two root tables of 4 KiB */
	uint8_t pa_bits;	   /* 0: 44 */
	uint8_t granule;	   /* 0: 12 */
	enum how how;
	uint32_t entries, bytes; /* of a step; 0: no bound */
	bool late;		 /* tables are released after the promises of the call */
};

struct world {
	struct machine *m;
	struct model_port port;
	struct s2 s2;
	/* Called once, before the next compare-and-swap of an entry. */
	void (*before_cas)(void);
};

extern struct world world;

void world_open(const struct setup *setup, FILE *log);
/* Flushes and destroys. Nothing may be left. */
void world_close(void);
void world_flush(void);

/* The frame behind an address, unless a call says otherwise. */
uint64_t frame(uint64_t ipa);

/* The calls with their promises. They return 0 or have been convicted. */
void map(uint64_t ipa, uint64_t size, s2_attr_t attr, uint32_t flags);
void map_to(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags);
void unmap(uint64_t ipa, uint64_t size, uint32_t flags);
void wrprotect(uint64_t ipa, uint64_t size);
void age(uint64_t ipa, uint64_t size);
void relax(uint64_t ipa, s2_attr_t perms);
void split(uint64_t ipa, uint64_t size);
void split_fails(uint64_t ipa, uint64_t size, int expected);
void collapse(uint64_t ipa, uint64_t size);
void annotate(uint64_t ipa, uint64_t size, uint64_t note);
/* The log has every page that the guest wrote. The dirty state is cleared. */
void dirty(uint64_t ipa, uint64_t size);
/* A page is mapped on another PE while a call is under way. */
void map_beside(uint64_t ipa, uint64_t pa, s2_attr_t attr);
/* s2_map() that fails with @expected. */
void map_fails(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags,
	       int expected);
/* What a failing call changes, and the promise for it. */
void now_has(uint64_t ipa, uint64_t size, s2_attr_t attr);
void promise_wrprotected(uint64_t ipa, uint64_t size);
/* The PA of the root, which identifies the tree for the machine. */
uint64_t world_root(void);
/* Calls that do not belong to the open batch. */
void outside_batch(bool on);
/* The number of table pages that are left; -1: any number. */
void memory(long pages);
/* The instance gets another VMID, and nothing is left of the old one. */
void vmid_rollover(void);
void convict(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif
