/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Blocks into tables: edges.c, for the edges of a range and for s2_split(). */
#ifndef STAGE2_SRC_RESHAPE_H
#define STAGE2_SRC_RESHAPE_H

#include "entry.h"

/*
 * How many tables it takes below an entry at @level until @start and @end, as far as they
 * are inside it, are between two entries. Each may be 0: no edge. The path to both is
 * counted once.
 */
unsigned tables_to(const struct s2 *s2, uint64_t start, uint64_t end, int level);

/* How many it takes to open the blocks, or annotations, that the edges lie inside. */
uint64_t edges_need(struct s2 *s2, uint64_t start, uint64_t end, bool notes);
/* Split the blocks that edges lie inside, with tables from @reserve. 0 is no edge. */
void edges_split(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint64_t *reserve);
/*
 * The same with tables of its own; S2_E_BLOCK if @flags do not allow it. Changes nothing
 * when it fails. S2_MORE: wait.
 */
int settle_edges(struct s2 *s2, struct step *step, uint64_t start, uint64_t end,
		 uint32_t flags);

/* Which blocks: all that intersect the window, or with @edge those it lies inside. */
struct wanted {
	uint64_t start, end;
	uint64_t edge;
	bool straddling;
};

/* On to the next block that is wanted; 0 at the end. The cursor stays on the block. */
uint64_t next_block(struct cursor *c, const struct wanted *w);
/* Every such block one level down, with tables from @reserve. */
void split_round(struct s2 *s2, struct step *step, const struct wanted *w,
		 uint64_t *reserve);

#endif /* STAGE2_SRC_RESHAPE_H */
