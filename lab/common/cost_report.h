/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Estimated times, for people and for programs. */
#ifndef STAGE2_LAB_COST_REPORT_H
#define STAGE2_LAB_COST_REPORT_H

#include <stdbool.h>

#include "cost.h"

struct cJSON;

/* A profile; and the occurrences of each part with their sum. */
struct cJSON *cost_json(const struct cost_profile *cpu);
struct cJSON *cost_estimate_json(const struct cost_profile *cpu, const uint64_t *times);

/* A table with a column for each of @n, and the sources of the prices below it. */
void cost_print(const struct cost_profile *cpu, const char *const *names,
		const uint64_t (*times)[COST_PARTS], unsigned n);

/* "0.176", "1,234": an estimate. @buf: LAB_COUNT_LEN. */
const char *cost_text(double n, char *buf);

#endif /* STAGE2_LAB_COST_REPORT_H */
