/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Unmaps as lists of events for the explorer, with the expected result of each. */
#ifndef STAGE2_TESTS_PROGRAMS_H
#define STAGE2_TESTS_PROGRAMS_H

#include "explore.h"

struct known_program {
	struct explore_program p;
	enum explore_rule expect; /* EXPLORE_NOTHING: safe */
};

extern const struct known_program programs[];
extern const unsigned nr_programs;

#endif /* STAGE2_TESTS_PROGRAMS_H */
