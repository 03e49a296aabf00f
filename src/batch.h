/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an open batch has broken and not finished: batch.c. The flush is in flush.c.
 */
#ifndef STAGE2_SRC_BATCH_H
#define STAGE2_SRC_BATCH_H

#include "gather.h"

static inline bool batch_full(const struct s2_batch *b)
{
	return b->ranges == S2_BATCH_RANGES;
}

/* @g is to be invalidated; the markers are in [start, end); @clean: their memory, too. */
void batch_add(struct s2_batch *b, const struct s2_gather *g, uint64_t start,
	       uint64_t end, bool clean);
/* The same for one page in a table that stays. */
void batch_page(struct s2_batch *b, uint64_t ipa, uint64_t size, bool clean);
/* Whether something in the range waits for the flush. */
bool batch_pending(const struct s2_batch *b, uint64_t ipa, uint64_t size);

#endif /* STAGE2_SRC_BATCH_H */
