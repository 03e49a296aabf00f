/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engine's files share, from the bottom up. A file calls only those that stand
 * before it:
 *
 *   inval.c  op.c  cursor.c  inspect.c  entry.c  target.c  extra/log.c  extra/batch.c
 *   extra/run.c  extra/counted.c  edges.c  break.c  unmap.c  replace.c  map.c
 *   extra/flush.c  page.c
 *
 * and by none are called config.c and the other files of extra/. What is in
 * extra/ may be left out of a build: src/profile.h says by which constant.
 */
#ifndef STAGE2_SRC_INTERNAL_H
#define STAGE2_SRC_INTERNAL_H

#include "port.h"
#include "names.h"
#include "desc.h"
#include "meta.h"
#include "step.h"
#include "cursor.h"
#include "gather.h"
#include "entry.h"
#include "batch.h"
#include "run.h"
#include "reshape.h"
#include "target.h"
#include "unmap.h"
#include "map.h"

/* An instance without tables: what @cfg says of descriptors and operands. */
void config_layout(struct s2 *s2, const struct s2_config *cfg);

/* Execute at one exception level alone can be said with FEAT_XNX only. */
static inline bool exec_known(const struct s2 *s2, s2_attr_t attr)
{
	s2_attr_t exec = attr & S2_X;

	return !exec || exec == S2_X || s2->features & S2_FEAT_XNX;
}

/*
 * The general ways of s2_map() and s2_unmap(), which are in page.c. @what: the PA, or of
 * s2_annotate() the value. @needed: NULL, or change nothing and say how many tables it
 * takes.
 */
int map_run(struct s2 *s2, enum op_kind kind, uint64_t ipa, uint64_t what, uint64_t size,
	    s2_attr_t attr, uint32_t flags, struct s2_op *op, uint64_t *needed);
int map_note(struct s2 *s2, uint64_t ipa, uint64_t size, uint64_t note, uint32_t flags,
	     struct s2_op *op);
int unmap_range(struct s2 *s2, uint64_t ipa, uint64_t size, uint32_t flags,
		struct s2_op *op);

#endif /* STAGE2_SRC_INTERNAL_H */
