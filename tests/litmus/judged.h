/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program of the explorer as events for the judge of the machine model. */
#ifndef STAGE2_TESTS_JUDGED_H
#define STAGE2_TESTS_JUDGED_H

#include "explore.h"
#include "machine.h"

/*
 * A machine that has run the program. Free it with machine_free(). NULL if it could not
 * be made, or if it convicts the tables before the program has begun.
 */
struct machine *judged(const struct explore_program *p);

#endif /* STAGE2_TESTS_JUDGED_H */
