/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dirty logs of the differential run: what a call loses of the dirty state that the
 * reference knows is in its log, and nothing else is.
 */
#ifndef TESTS_ENGINE_LOG_H
#define TESTS_ENGINE_LOG_H

#include "flat.h"

#define LOG_PAGES 65536u
#define LOG_WORDS (LOG_PAGES / 64)

/**
 * struct log - of one call, over all of its steps
 * @known: bits that have been found right after a step
 * @before: what was mapped before this step
 * @missed: whether an earlier step has lost what was partly outside
 */
struct log {
	struct s2_dirty_log dirty;
	uint64_t bits[LOG_WORDS], known[LOG_WORDS];
	struct flat before;
	bool missed;
};

/* For [lo, hi), or as much of it as there is room for. */
void log_open(struct log *l, const struct flat *f, uint64_t lo, uint64_t hi);
void log_free(struct log *l);
/* Before and after each step; the second gives NULL, or what is wrong. */
void log_before(struct log *l, const struct flat *f);
const char *log_after(struct log *l, const struct flat *f);
/* Whether every page of [lo, hi) that is dirty now is in the log. */
bool log_complete(const struct log *l, const struct flat *f, uint64_t lo, uint64_t hi);

#endif
