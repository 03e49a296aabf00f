/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef STAGE2_LAB_ACCOUNT_JSON_H
#define STAGE2_LAB_ACCOUNT_JSON_H

#include "account.h"
#include "moments.h"

struct cJSON;

/* These add their keys to @top. */
void account_json(struct cJSON *top, const struct account *a);
void moments_json(struct cJSON *top, const struct moments *ms);

/* @cpu: with the estimate. */
struct cJSON *account_cost_json(const struct call_cost *c, bool cpu);

#endif /* STAGE2_LAB_ACCOUNT_JSON_H */
