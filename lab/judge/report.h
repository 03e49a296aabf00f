/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_LAB_JUDGE_REPORT_H
#define STAGE2_LAB_JUDGE_REPORT_H

#include "judge.h"

struct cJSON;

/* The number of the JSON format: it changes when a name or a meaning does. */
#define JUDGE_FORMAT 1

void judge_print(const struct judge *j, const char *path, enum judge_verdict v);
struct cJSON *judge_json(const struct judge *j, const char *path, enum judge_verdict v);

#endif /* STAGE2_LAB_JUDGE_REPORT_H */
