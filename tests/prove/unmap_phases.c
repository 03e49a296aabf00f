/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An unmap of PROVE_GRANULES granules anywhere, whatever is in the tables: it reads and
 * writes entries of tables only; cleans, empties entries and frees tables only after
 * all that it has broken is invalidated, stage 2 before stage 1 with the barriers
 * between; and empties entries only after the DSB behind the last clean.
 */
#define S2_PROFILE 0
#include "cursor.c"
#include "inval.c"
#include "op.c"
#include "entry.c"
#include "target.c"
#include "edges.c"
#include "break.c"
#include "unmap.c"
#include "page.c"
#include "anything.h"

void prove(void)
{
	struct s2 s2 = any_instance();
	uint64_t ipa = nondet_u64(), size = (uint64_t)PROVE_GRANULES << PROVE_GRANULE;
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	open_tables(&s2);
	s2.special = s2.features & S2_FEAT_HAFDBS ? S2_HARDWARE_WRITES : 0;
	unmap_range(&s2, ipa, size, S2_DROP_EDGES | (nondet_u8() % 2 ? S2_NO_CLEAN : 0),
		    &op);
	/* Unless it was refused before it began, nothing is left to be done. */
	CLAIM(phase == NOTHING_BROKEN && !cleaning);
	REACHED();
}
