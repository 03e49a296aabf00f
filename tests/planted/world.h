/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One instance of the engine on the machine model, and what every call is held to:
 * the machine's rules, the promises of the call, and checks of our own.
 *
 * mapping-differs	what is mapped is not what the calls so far should have left
 * meta-mismatch	a table's state word is not what is in the table
 * table-leaked		a table page is taken and neither linked nor in limbo
 * wrong-return		a call did not return what it should
 * over-budget		a step has visited more entries, or cleaned more, than it may
 * vmid-not-ended	s2_destroy() has left out the invalidation of the VMID (P12)
 * clean-waived		memory was cleaned, and all who unmapped it had waived that
 * assertion-failed	an S2_ASSERT() of the engine is false
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
#define COUNTED (RW | S2_SW(3))

/* How the calls are made: under a lock, beside others, or in a batch if possible. */
enum how { ALONE, SHARED, BATCH };

struct setup {
	uint32_t features, errata; /* of the engine; the machine has the same */
	uint32_t machine;	   /* S2M_*, in addition */
	uint8_t ipa_bits;	   /* 0: 40, which is two root tables of 4 KiB */
	uint8_t pa_bits;	   /* 0: 44 */
	uint8_t granule;	   /* 0: 12 */
	enum how how;
	uint32_t entries, bytes; /* budget() */
	bool counted;		 /* leaves with S2_SW(3) are */
	bool late;		 /* tables are released after the promises of the call */
};

struct world {
	struct machine *m;
	struct model_port port;
	struct s2 s2;
	/*
	 * Each is called once: before the call's next compare-and-swap of an entry;
	 * before its next TLBIs; between two steps when a block is parked.
	 */
	void (*before_cas)(void);
	void (*before_tlbi)(void);
	void (*at_parked)(void);
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
void unmap_fails(uint64_t ipa, uint64_t size, uint32_t flags, int expected);
void wrprotect(uint64_t ipa, uint64_t size);
void wrprotect_fails(uint64_t ipa, uint64_t size, int expected);
void age(uint64_t ipa, uint64_t size);
void relax(uint64_t ipa, s2_attr_t perms);
void split(uint64_t ipa, uint64_t size);
void split_fails(uint64_t ipa, uint64_t size, int expected);
void collapse(uint64_t ipa, uint64_t size);
void annotate(uint64_t ipa, uint64_t size, uint64_t note);
/* Over what is mapped. */
void annotate_over(uint64_t ipa, uint64_t size, uint64_t note);
/* The log has every page that the guest wrote. The dirty state is cleared. */
void dirty(uint64_t ipa, uint64_t size);
/* Calls on another PE beside the one that is under way, or between its steps. */
void map_beside(uint64_t ipa, uint64_t pa, uint64_t size, s2_attr_t attr, uint32_t flags);
void unmap_beside(uint64_t ipa, uint64_t size, uint32_t flags);
void wrprotect_beside(uint64_t ipa, uint64_t size);
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
/* Of each step from now on; 0: no bound. */
void budget(uint32_t entries, uint32_t bytes);
/* So many table pages are to be had from now on; -1: any number. */
void memory(long pages);
/* The instance gets another VMID, and nothing is left of the old one. */
void vmid_rollover(void);
void convict(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif
