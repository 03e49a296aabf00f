/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "strategy.h"

const struct lab_strategy *const lab_strategies[LAB_STRATEGIES + 1] = {
	&strategy_entry,  &strategy_posted, &strategy_review,
	&strategy_merged, &strategy_stage2, NULL,
};
