/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An explorer's program as events for the machine model's judge. */
#ifndef STAGE2_TESTS_JUDGED_H
#define STAGE2_TESTS_JUDGED_H

#include "explore.h"
#include "machine.h"

/*
 * A machine that has run the program, to be freed with machine_free(). NULL when
 * it could not be made, or convicts the tables before the program has begun.
 */
struct machine *judged(const struct explore_program *p);

#endif /* STAGE2_TESTS_JUDGED_H */
