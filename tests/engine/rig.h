/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The random differential run (workload.c) and what it runs on: the counting port
 * (random.c) or the machine model (judged.c).
 */
#ifndef TESTS_ENGINE_RIG_H
#define TESTS_ENGINE_RIG_H

#include "flat.h"

struct rig_cost {
	uint64_t tlbi, dsb;
};

/* Operation sequences from @seed until @operations are done; 0, or 1 and a message. */
int workload(uint64_t seed, uint64_t operations);

/* ---- what the port supplies -------------------------------------------------- */

/* A world begins: set cfg->port; then, when s2_init() has been called; its end. */
void rig_open(struct s2_config *cfg, uint64_t seed);
void rig_ready(struct s2 *s2);
void rig_destroying(struct s2 *s2);
void rig_close(void);
/* Before each call of the engine. */
void rig_call(void);
/* The n-th allocation from now fails (0: the next); -1: none. */
void rig_fail_after(long n);
struct rig_cost rig_cost(void);
/* Table pages in use, the root aside. */
uint64_t rig_tables(const struct s2 *s2);
/* What is promised at this point. */
void rig_unmapped(const struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags);
void rig_wrprotected(const struct s2 *s2, uint64_t ipa, uint64_t size);
void rig_frame_free(uint64_t pa);
/* NULL, or what it holds against the engine. */
const char *rig_wrong(void);

#endif
