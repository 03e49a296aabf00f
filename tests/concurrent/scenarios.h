/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_CONCURRENT_SCENARIOS_H
#define STAGE2_CONCURRENT_SCENARIOS_H

#include "scenario.h"

extern const struct scenario scenarios[];
extern const unsigned nscenarios;

#endif /* STAGE2_CONCURRENT_SCENARIOS_H */
