/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the random differential run (world.c) runs on: the machine model, with a guest
 * on two PEs, another agent now and then, a walker without a lock, and the engine's
 * calls wandering over two more PEs.
 */
#ifndef TESTS_ENGINE_RIG_H
#define TESTS_ENGINE_RIG_H

#include <stdio.h>

#include <stage2/stage2.h>

struct rig_cost {
	uint64_t tlbi, dsb;
	uint64_t by_page, by_range, by_vmid; /* of tlbi, broadcast and at stage 2 */
	uint64_t cleaned;		     /* bytes */
	uint64_t taken;			     /* table pages */
};

/* A machine for @cfg, whose port is set; then, after s2_init(); its end. */
void rig_open(struct s2_config *cfg, bool agent, uint64_t seed, FILE *log);
void rig_ready(struct s2 *s2);
void rig_destroying(void);
void rig_close(void);

/* Where the machine's events are written; or NULL. */
struct trace_out;
extern struct trace_out *rig_trace;

/* Before each call of the engine: the PE, 0 or 1, that runs it; a note for the log. */
void rig_call(unsigned pe, const char *note);
/* The calls that follow map memory that the caller has cleaned. */
void rig_no_clean(bool on);
/* The calls that follow, or some in the open batch, waive the clean of what goes. */
void rig_waives(bool on);
/* A PE begins or ends to walk the tables by software, without the lock. */
void rig_walker(bool on);
/* The n-th allocation from now and all behind it fail (0: the next); -1: none. */
void rig_fail_after(long n);
bool rig_failing(void);
struct rig_cost rig_cost(void);
/* Table pages in use, the root aside. */
uint64_t rig_tables(void);

/* What is promised at this point. */
void rig_unmapped(uint64_t ipa, uint64_t size, bool clean, bool reported);
void rig_wrprotected(uint64_t ipa, uint64_t size);
/* The host has the frames now, and writes them. */
void rig_frames_free(uint64_t pa, uint64_t size);
/* NULL, or what it holds against the engine. */
const char *rig_wrong(void);

#endif
