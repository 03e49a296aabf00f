/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_TESTS_COMPARE_H
#define STAGE2_TESTS_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Random programs, with seeds from seed on, for the machine and for the second judge. On
 * the first on which they do not agree: prints it, false.
 */
bool compare(uint64_t seed, uint64_t programs);

#endif /* STAGE2_TESTS_COMPARE_H */
