/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An unmap of a page, whatever is in the tables: it reads and
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
	/* Two levels, 32 bits of IPA. */
	struct s2 s2 = { .features = nondet_u32(),
			 .errata = nondet_u32(),
			 .ipa_bits = 32,
			 .pa_bits = 48,
			 .start_level = 2,
			 .start_shift = 21,
			 .granule_shift = 12,
			 .root_pages = 4,
			 .oa_mask = (UINT64_C(1) << 48) - 4096,
			 .ipa_end = UINT64_C(1) << 32,
			 .pa_end = UINT64_C(1) << 48,
			 .tags = 1 };
	struct s2_limbo limbo = { 0 };
	struct s2_op op = { .limbo = &limbo };

	open_tables(&s2);
	s2.special = s2.features & S2_FEAT_HAFDBS ? S2_HARDWARE_WRITES : 0;
	unmap_range(&s2, PROVE_IPA, PROVE_SIZE,
		    S2_DROP_EDGES | (nondet_u8() % 2 ? S2_NO_CLEAN : 0), &op);
	CLAIM(phase == NOTHING_BROKEN && !cleaning);
	REACHED();
}
