/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_LAB_COUNTERS_H
#define STAGE2_LAB_COUNTERS_H

#include "machine.h"

/* Adds what the lab reports: all counters but DMBs and the bytes cleaned. */
void lab_counters_add(struct s2m_counters *sum, const struct s2m_counters *n);

#endif /* STAGE2_LAB_COUNTERS_H */
