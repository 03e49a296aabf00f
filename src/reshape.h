/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Blocks at the edges of a range: split.c. */
#ifndef STAGE2_SRC_RESHAPE_H
#define STAGE2_SRC_RESHAPE_H

#include "entry.h"

/*
 * How many tables it takes below an entry at @level until @edge is between two entries.
 */
static inline unsigned tables_to(const struct s2 *s2, uint64_t edge, int level)
{
	unsigned n = 0;

	/* Asked only whether there is something to split. */
	if (!S2_USE_RESHAPE && !S2_USE_NOTES)
		return 1;
	for (; level < LAST_LEVEL && edge & (level_size(s2, level) - 1); level++)
		n++;
	return n;
}

/*
 * Blocks that straddle start or end: how many tables it takes to split them;
 * S2_E_BLOCK if @flags do not allow it.
 */
int edges_need(struct s2 *s2, uint64_t start, uint64_t end, uint32_t flags, uint64_t *n);
/* Split them, with tables from @reserve. */
void edges_split(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint64_t *reserve);
/* Both, with tables of its own. Changes nothing when it fails. S2_MORE: wait. */
int settle_edges(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint32_t flags);

#endif /* STAGE2_SRC_RESHAPE_H */
