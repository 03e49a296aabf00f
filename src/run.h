/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contiguous runs: run.c. The members are valid, adjacent and alike but for what hardware
 * may set, and all of them have DESC_CONT. Only exclusive calls make runs, and an
 * instance with runs has no others. Without S2_USE_RUNS nothing here is called.
 */
#ifndef STAGE2_SRC_RUN_H
#define STAGE2_SRC_RUN_H

#include "gather.h"

/* Take the hint from the run that @edge lies inside: break, invalidate, make. */
void run_break(struct s2 *s2, uint64_t edge);
/* Extend the range to all of the runs that it begins or ends in. */
void runs_widen(struct s2 *s2, uint64_t *start, uint64_t *end);
/*
 * Whether valid leaf @d under the cursor is no run's first member, or all members can be
 * taken with so many visits and bytes.
 */
bool run_fits(const struct cursor *c, uint64_t d, uint64_t visits, uint64_t bytes);

#endif /* STAGE2_SRC_RUN_H */
